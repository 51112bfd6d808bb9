// Progress on stderr, so that stdout holds the result alone: a bar on a terminal, else a line every
// tenth, which reads well in a log.
import { SingleBar } from "cli-progress";

export interface Progress {
  /** May be called at any rate; it is drawn at most ten times a second. */
  update(done: number, total: number): void;
  /** A line of its own, above the bar. */
  note(text: string): void;
  stop(): void;
}

type Format = (value: number) => string;

/** @param format How a count is shown, for example as a byte size; null: only the share is. */
export function createProgress(
  label: string,
  format: Format | null = null,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  return stream.isTTY ? createBar(label, format, stream) : createLines(label, format, stream);
}

function createBar(label: string, format: Format | null, stream: NodeJS.WriteStream): Progress {
  const size = format === null ? "" : " of {size}";
  const bar = new SingleBar({
    format: `${label} {bar} {percentage} %${size}, {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: false,
    // Ctrl-C is the caller's to handle: it has partial work to leave in order.
    gracefulExit: false,
    stream,
  });
  let isStarted = false;
  return {
    update: (done, total) => {
      if (!isStarted) bar.start(total, done, { size: format?.(total) });
      isStarted = true;
      bar.update(done);
    },
    note: (text) => {
      if (isStarted) bar.stop();
      isStarted = false;
      stream.write(`${text}\n`);
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

function createLines(label: string, format: Format | null, stream: NodeJS.WriteStream): Progress {
  let shownTenth = -1;
  return {
    update: (done, total) => {
      const tenth = total > 0 ? Math.floor((done / total) * 10) : 0;
      if (tenth <= shownTenth) return;
      shownTenth = tenth;
      const counts = format === null ? "" : ` (${format(done)} of ${format(total)})`;
      stream.write(`${label} ${tenth * 10} %${counts}\n`);
    },
    note: (text) => {
      stream.write(`${text}\n`);
    },
    stop: () => {},
  };
}
