// The packages that cross-file samples are made of: permissively licensed, with readable sources,
// at fixed versions. A package belongs to one split, so that nothing is tuned on what is tested.
// Fetched once by the package managers' own clients and kept unpacked in .cache/.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export type Split = "validation" | "test";
export type Language = "typescript" | "javascript" | "python";

export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  readonly licence: "Apache-2.0" | "BSD-3-Clause" | "MIT";
  readonly language: Language;
  readonly split: Split;
  /** Where its sources lie in the unpacked package. */
  readonly folder: string;
}

export interface SourceFile {
  /** Relative to the package. */
  readonly path: string;
  readonly text: string;
}

type Row = [
  name: string,
  version: string,
  licence: SourcePackage["licence"],
  language: Language,
  split: Split,
  folder: string,
];

const rows: Row[] = [
  ["rxjs", "7.8.2", "Apache-2.0", "typescript", "validation", "package/src"],
  ["click", "8.5.1", "BSD-3-Clause", "python", "validation", "click"],
  ["eslint", "10.15.0", "MIT", "javascript", "validation", "package/lib"],
  ["mobx", "7.1.3", "MIT", "typescript", "validation", "package/src"],
  ["rich", "15.0.0", "MIT", "python", "validation", "rich"],
  ["fastify", "5.12.8", "MIT", "javascript", "validation", "package/lib"],
  ["chevrotain", "13.2.0", "Apache-2.0", "typescript", "validation", "package/src"],
  ["starlette", "1.10.0", "BSD-3-Clause", "python", "validation", "starlette"],
  ["msw", "3.0.5", "MIT", "typescript", "validation", "package/src"],
  ["networkx", "3.6.1", "BSD-3-Clause", "python", "validation", "networkx"],
  ["effect", "4.1.0", "MIT", "typescript", "test", "package/src"],
  ["werkzeug", "3.1.9", "BSD-3-Clause", "python", "test", "werkzeug"],
  ["undici", "8.13.1", "MIT", "javascript", "test", "package/lib"],
  ["@reduxjs/toolkit", "2.14.0", "MIT", "typescript", "test", "package/src"],
  ["httpx", "0.28.1", "BSD-3-Clause", "python", "test", "httpx"],
  ["svelte", "5.57.3", "MIT", "javascript", "test", "package/src"],
  ["immer", "11.2.10", "MIT", "typescript", "test", "package/src"],
  ["jinja2", "3.1.6", "BSD-3-Clause", "python", "test", "jinja2"],
  ["zod", "4.6.7", "MIT", "typescript", "test", "package/src"],
  ["flask", "3.1.3", "BSD-3-Clause", "python", "test", "flask"],
];

export const sourcePackages: readonly SourcePackage[] = rows.map(
  ([name, version, licence, language, split, folder]) => ({
    ...{ name, version, licence, language, split, folder },
  }),
);

const cache = ".cache/cross-file";
const endings: Record<Language, RegExp> = {
  typescript: /(?<!\.d)\.ts$/,
  javascript: /\.js$/,
  python: /\.py$/,
};
// What people do not write by hand, or write about code instead of with it.
const skipped =
  /(^|\/)(__?tests?__?|tests?|spec|dist|vendor|locales?|fixtures|_?benchmarks?)(\/|\.)|\.(test|spec|min)\./;

/** The package's own sources, by path. */
export async function readSources(source: SourcePackage): Promise<SourceFile[]> {
  const folder = join(await fetchPackage(source), source.folder);
  const names = await readdir(folder, { recursive: true });
  const paths = names
    .map((name) => name.replaceAll("\\", "/"))
    .filter((path) => endings[source.language].test(path) && !skipped.test(path))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(folder, path), "utf8") })),
  );
}

const run = promisify(execFile);

/** The folder of the unpacked package. */
async function fetchPackage(source: SourcePackage): Promise<string> {
  const { name, version, language } = source;
  const folder = join(cache, `${name.replace("/", "-")}-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(join(cache, "partial-"));
  try {
    if (language === "python") await fetchWheel(`${name}==${version}`, partial);
    else await fetchTarball(`${name}@${version}`, partial);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function fetchTarball(name: string, folder: string): Promise<void> {
  await run("npm", ["pack", "--silent", "--pack-destination", folder, name]);
  const [archive = ""] = await readdir(folder);
  await run("tar", ["-xzf", join(folder, archive), "-C", folder]);
}

async function fetchWheel(name: string, folder: string): Promise<void> {
  await run("python3", ["-m", "pip", "download", "-q", "--no-deps", "--dest", folder, name]);
  const [archive = ""] = await readdir(folder);
  await run("python3", ["-m", "zipfile", "-e", join(folder, archive), folder]);
}
