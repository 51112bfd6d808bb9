// llama.cpp as the benchmarks' peer, through node-llama-cpp and its prebuilt library. Installed on
// first use into .cache/peers, at exact versions and without install scripts: no dependency of Pith.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const versions = { "node-llama-cpp": "3.22.1", koffi: "3.3.4" } as const;
const folder = resolve(".cache/peers");

/** The package of node-llama-cpp with the CPU build for this platform, and where it keeps it. */
const binaryPackages: Readonly<Record<string, { name: string; folder: string }>> = {
  "linux-x64": { name: "@node-llama-cpp/linux-x64", folder: "bins/linux-x64" },
  "linux-arm64": { name: "@node-llama-cpp/linux-arm64", folder: "bins/linux-arm64" },
  "win32-x64": { name: "@node-llama-cpp/win-x64", folder: "bins/win-x64" },
  "win32-arm64": { name: "@node-llama-cpp/win-arm64", folder: "bins/win-arm64" },
};

/** node-llama-cpp, untyped: each user states the part that it calls. */
export async function importLlama() {
  return await importPeer("node-llama-cpp");
}

/** koffi, which calls C functions: llama.cpp without node-llama-cpp's own time for every step. */
export async function importForeignFunctions() {
  return await importPeer("koffi");
}

/** The folder of llama.cpp's shared libraries. */
export async function llamaLibraries(): Promise<string> {
  await installPeers();
  const { name, folder: inside } = binaryPackage();
  return join(packageFolder(name), inside);
}

async function importPeer(name: keyof typeof versions) {
  await installPeers();
  const entry = createRequire(join(folder, "package.json")).resolve(name);
  return await import(pathToFileURL(entry).href);
}

/**
 * Optional dependencies are left out, since they hold every platform's library with and without
 * graphics cards, several gigabytes; the one that is needed is named.
 */
async function installPeers(): Promise<void> {
  const wanted = new Map<string, string>(Object.entries(versions));
  wanted.set(binaryPackage().name, versions["node-llama-cpp"]);
  wanted.set(`@koromix/koffi-${process.platform}-${process.arch}`, versions.koffi);
  if (await areInstalled(wanted)) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const packages = [...wanted].map(([name, version]) => `${name}@${version}`);
  const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--save-exact"];
  const run = promisify(execFile);
  await run("npm", ["install", ...flags, ...packages], {
    cwd: folder,
    shell: process.platform === "win32", // npm is a script there.
  });
  if (!(await areInstalled(wanted)))
    throw new Error(`peers: ${packages.join(", ")} not all in ${folder}: delete it and try again`);
}

function binaryPackage(): { name: string; folder: string } {
  const platform = `${process.platform}-${process.arch}`;
  const found = binaryPackages[platform];
  if (found === undefined) throw new Error(`peers: no library of llama.cpp for ${platform}`);
  return found;
}

async function areInstalled(wanted: ReadonlyMap<string, string>): Promise<boolean> {
  for (const [name, version] of wanted)
    if ((await installedVersion(name)) !== version) return false;
  return true;
}

async function installedVersion(name: string): Promise<string | null> {
  try {
    const text = await readFile(join(packageFolder(name), "package.json"), "utf8");
    return JSON.parse(text).version;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function packageFolder(name: string): string {
  return join(folder, "node_modules", name);
}
