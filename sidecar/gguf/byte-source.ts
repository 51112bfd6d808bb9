// Where bytes come from. Everything that reads a GGUF sees only this interface, so tests pass
// bytes from memory and count what is read.
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { FormatError } from "../errors.ts";

export interface ByteSource {
  /** Names the source in messages. */
  readonly name: string;
  readonly byteLength: number;
  /** The caller keeps `offset + byteLength` within the source. */
  read(offset: number, byteLength: number): Promise<Uint8Array>;
}

export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    read: async (offset, byteLength) => bytes.subarray(offset, offset + byteLength),
  };
}

/** Opens a file for reading; the caller closes it. */
export async function openFileSource(path: string): Promise<FileSource> {
  const handle = await open(path, "r");
  const { size } = await handle.stat();
  const name = basename(path);
  return {
    name,
    byteLength: size,
    close: () => handle.close(),
    read: async (offset, byteLength) => {
      const bytes = new Uint8Array(byteLength);
      let done = 0;
      while (done < byteLength) {
        const { bytesRead } = await handle.read(bytes, done, byteLength - done, offset + done);
        // Only a file that shrinks while it is open gets here: callers check against byteLength.
        if (bytesRead === 0)
          throw new FormatError(`${name}: file ends at ${offset + done}, expected ${size} bytes`);
        done += bytesRead;
      }
      return bytes;
    },
  };
}
