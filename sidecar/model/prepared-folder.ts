// A folder that appears whole or not at all: files are written into a neighbour, synced, and the
// neighbour takes the name. What a crash leaves behind is cleared by the next preparation.
import { randomUUID } from "node:crypto";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ByteSink } from "../onnx/tensor-store.ts";

export interface OpenFile extends ByteSink {
  close(): Promise<void>;
}

/** Makes `folder` hold what `fill` writes into the folder it is given; else leaves no trace. */
export async function fillFolder(
  folder: string,
  fill: (partial: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  await clearAbandoned(folder);
  const partial = `${folder}${PARTIAL}${process.pid}-${randomUUID().slice(0, 8)}`;
  await mkdir(partial);
  try {
    await fill(partial);
    await syncFolder(partial);
    await takeName(partial, folder);
    await syncFolder(parent);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

const PARTIAL = ".partial-";

/** A partial folder carries the id of its process; it is abandoned when that process is gone. */
async function clearAbandoned(folder: string): Promise<void> {
  const prefix = `${basename(folder)}${PARTIAL}`;
  const names = await readdir(dirname(folder));
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const processId = Number.parseInt(name.slice(prefix.length), 10);
    if (!isRunning(processId))
      await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it runs under another user. Anything else says that there is no such process.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The older folder goes first: no system renames onto a folder that holds files. */
async function takeName(partial: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
}

/** A file that takes bytes at any position and is on the disk when it is closed. */
export async function createFile(path: string): Promise<OpenFile> {
  const handle = await open(path, "wx");
  return {
    write: (bytes, position) => writeAll(handle, bytes, position),
    close: async () => {
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Each whatever becomes of the others. @throws Error of the first that the disk did not take */
export async function closeAll(files: readonly OpenFile[]): Promise<void> {
  const ends = await Promise.allSettled(files.map((file) => file.close()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

export async function writeWholeFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(path, content, { flag: "wx", flush: true });
}

/** Bytes of a file, or null where there is none. */
export async function fileLength(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null); // An unreadable file is as good as none.
  return found?.isFile() ? found.size : null;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(
      bytes,
      done,
      bytes.byteLength - done,
      position + done,
    );
    done += bytesWritten;
  }
}

/** Makes the names in a folder last. Windows cannot open folders and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
