// Git's wildcards, byte for byte. In: a pattern and a path, both as strings with a byte in each
// character. Out: whether they match. No regular expression is made of a pattern: rule files are
// other people's, and none may take longer than a few times its length times that of the path.

/** A byte that fits, or a run of bytes: without `/`, of whole folders, or of anything. */
type Token = ((byte: number) => boolean) | "star" | "folders" | "anything";
export type Wildcards = readonly Token[];

interface Read {
  readonly token: Token;
  /** Where the pattern goes on. */
  readonly end: number;
}

interface Member {
  readonly accepts: (byte: number) => boolean;
  /** null for a range and for a class. */
  readonly byte: number | null;
  readonly end: number;
}

interface Run {
  /** Of its token. */
  readonly index: number;
  readonly token: Token;
  /** Where it ends in the path. */
  at: number;
}

const slash = 0x2f;
/** Of ASCII alone. */
const classes = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
  ["cntrl", /[\0-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);

/** null for one that matches nothing, as it ends in a bracket or behind a backslash. */
export function readWildcards(pattern: string, ignoreCase: boolean): Wildcards | null {
  const tokens: Token[] = [];
  // Git compares what stands before the first wildcard by itself, so `**` may begin there, too.
  const start = pattern.search(/[*?[\\]/);
  for (let at = 0; at < pattern.length; ) {
    const read =
      pattern[at] === "*"
        ? readStars(pattern, at, at === start)
        : pattern[at] === "["
          ? readSet(pattern, at + 1, ignoreCase)
          : readByte(pattern, at, ignoreCase);
    if (read === null) return null;
    tokens.push(read.token);
    at = read.end;
  }
  return tokens;
}

export function matchesWildcards(tokens: Wildcards, path: string): boolean {
  const runs: Run[] = [];
  for (let index = 0, at = 0; index < tokens.length || at < path.length; index += 1) {
    const token = tokens[index];
    if (typeof token === "string") begin(runs, { index, token, at });
    else if (token !== undefined && at < path.length && token(path.charCodeAt(at))) at += 1;
    else {
      const run = grownOf(runs, path);
      if (run === null) return false;
      ({ index, at } = run);
    }
  }
  return true;
}

/** What wildcards are made of and held against: a byte in each character. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Only the last star may be too short, and the last run over folders before it. */
function begin(runs: Run[], run: Run): void {
  if (run.token !== "star") runs.length = 0;
  else if (runs.at(-1)?.token === "star") runs.pop();
  runs.push(run);
}

function grownOf(runs: Run[], path: string): Run | null {
  for (;;) {
    const run = runs.at(-1);
    if (run === undefined) return null;
    if (grow(run, path)) return run;
    runs.pop();
  }
}

/** Whether the run can be longer. */
function grow(run: Run, path: string): boolean {
  const next = run.token === "folders" ? path.indexOf("/", run.at) : run.at;
  if (next < 0 || next >= path.length) return false;
  if (run.token === "star" && path.charCodeAt(next) === slash) return false;
  run.at = next + 1;
  return true;
}

/** Two stars and more cross folders where they stand for whole ones; else they are one star. */
function readStars(pattern: string, at: number, isStart: boolean): Read {
  let end = at;
  while (pattern[end] === "*") end += 1;
  const isWhole = end - at > 1 && (isStart || at === 0 || pattern[at - 1] === "/");
  if (isWhole && pattern[end] === "/") return { token: "folders", end: end + 1 };
  const isLast = end === pattern.length || pattern.startsWith("\\/", end);
  return { token: isWhole && isLast ? "anything" : "star", end };
}

/** Case is ignored as Git does it: a capital behind a backslash then matches nothing. */
function readByte(pattern: string, at: number, ignoreCase: boolean): Read | null {
  if (pattern[at] === "?") return { token: (byte) => byte !== slash, end: at + 1 };
  const isEscaped = pattern[at] === "\\";
  const place = isEscaped ? at + 1 : at;
  if (place === pattern.length) return null;
  const own = pattern.charCodeAt(place);
  const wanted = ignoreCase && !isEscaped ? lower(own) : own;
  const token = (byte: number): boolean => (ignoreCase ? lower(byte) : byte) === wanted;
  return { token, end: place + 1 };
}

/** What stands behind `[`. Its first member may be `]`. */
function readSet(pattern: string, start: number, ignoreCase: boolean): Read | null {
  const isNegated = pattern[start] === "!" || pattern[start] === "^";
  const members: Member[] = [];
  let at = isNegated ? start + 1 : start;
  let bracket = -1;
  do {
    // A class ends there. Looked for once, or many openings would cost their number squared.
    if (bracket < at + 2) bracket = pattern.indexOf("]", at + 2);
    const member = readRange(pattern, at, members.at(-1)) ?? readMember(pattern, at, bracket);
    if (member === null) return null;
    members.push(member);
    at = member.end;
  } while (pattern[at] !== "]");
  const fits = Array.from({ length: 256 }, (_, byte) => isMember(byte, members, ignoreCase));
  return { token: (byte) => byte !== slash && fits[byte] !== isNegated, end: at + 1 };
}

/** null where there is none, as behind a class and behind another range. */
function readRange(pattern: string, at: number, before: Member | undefined): Member | null {
  const first = before?.byte ?? null;
  if (first === null || pattern[at] !== "-" || pattern[at + 1] === "]") return null;
  const place = pattern[at + 1] === "\\" ? at + 2 : at + 1;
  if (place >= pattern.length) return null;
  const last = pattern.charCodeAt(place);
  return { accepts: (byte) => first <= byte && byte <= last, byte: null, end: place + 1 };
}

/** A byte, or a class by its name; null behind the end and for a class that there is none of. */
function readMember(pattern: string, at: number, bracket: number): Member | null {
  const isNamed = pattern.startsWith("[:", at) && bracket > at + 2 && pattern[bracket - 1] === ":";
  if (isNamed) {
    const found = classes.get(pattern.slice(at + 2, bracket - 1));
    const accepts = (byte: number): boolean => found?.test(String.fromCharCode(byte)) === true;
    return found ? { accepts, byte: null, end: bracket + 1 } : null;
  }
  const place = pattern[at] === "\\" ? at + 1 : at;
  if (place >= pattern.length) return null;
  const own = pattern.charCodeAt(place);
  return { accepts: (byte) => byte === own, byte: own, end: place + 1 };
}

/** Git folds the path alone: a range and a class are asked for the capital, too, a byte is not. */
function isMember(byte: number, members: readonly Member[], ignoreCase: boolean): boolean {
  if (!ignoreCase) return members.some(({ accepts }) => accepts(byte));
  const folded = lower(byte);
  const capital = String.fromCharCode(folded).toUpperCase().charCodeAt(0);
  return members.some(
    ({ accepts, byte: single }) => accepts(folded) || (single === null && accepts(capital)),
  );
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
