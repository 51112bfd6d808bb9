// Makes the VSIX of one platform: the bundles, the packages that stay outside of them cut down to
// what that platform loads, no weights. `node package.mjs [--target linux-x64] [--out FILE]`.
// Everything is staged in a folder of its own, so what goes in is exactly what is named here.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const here = `${process.platform}-${process.arch}`;
const { values } = parseArgs({
  options: { target: { type: "string", default: here }, out: { type: "string" } },
});
const { target } = values;
const [platform, arch] = target.split("-");
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const file = resolve(values.out ?? `${manifest.name}-${target}-${manifest.version}.vsix`);
/** The marketplace of an editor is no place for hundreds of megabytes; weights are fetched at need. */
const byteLimit = 30e6;

const stage = resolve(".cache/vsix", target);
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
node("build.mjs", "--minify", "--no-sourcemap", `--outdir=${join(stage, "out")}`);
for (const path of [
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  "package.nls.json",
  "package.nls.de.json",
  manifest.icon,
  manifest.contributes.viewsContainers.activitybar[0].icon,
  manifest.l10n,
  "extension/walkthrough",
  "syntaxes",
])
  cpSync(path, join(stage, path), { recursive: true });
stageManifest();
stageOnnxruntime();
stagePackage("onnxruntime-common", ["package.json", "dist/cjs"]);
const tiktoken = ["tiktoken.cjs", "tiktoken_bg.cjs", "tiktoken_bg.wasm"];
const encoders = ["o200k_base", "cl100k_base"].map((name) => `encoders/${name}.json`);
stagePackage("tiktoken", ["package.json", ...tiktoken.map((name) => `lite/${name}`), ...encoders]);
stageLmdb();
stageGrammars();
writeFileSync(join(stage, "ThirdPartyNotices.txt"), notices());
pack();

function stageManifest() {
  const { scripts, devDependencies, dependencies, private: _, files, ...kept } = manifest;
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(kept, null, 2)}\n`);
}

/**
 * The engine's libraries for one platform. Left out: DirectML and the like, which are for graphics
 * cards and loaded at need only, and the second copy of the macOS library under its full version.
 */
function stageOnnxruntime() {
  const libraries = `bin/napi-v6/${platform}/${arch}`;
  const folder = join("node_modules/onnxruntime-node", libraries);
  if (!existsSync(folder)) throw new Error(`package: onnxruntime has no build for ${target}`);
  const isNeeded = (name) => /onnxruntime/.test(name) && !/\d+\.\d+\.\d+/.test(name);
  const needed = readdirSync(folder).filter(isNeeded);
  const paths = needed.map((name) => `${libraries}/${name}`);
  stagePackage("onnxruntime-node", ["package.json", "dist", ...paths]);
}

/**
 * The bank's database and what it imports, with the one native build that suits every version of
 * Node and Electron. npm installs that of one platform only, so another target needs its own.
 */
function stageLmdb() {
  const native = `@lmdb/lmdb-${target}`;
  const folder = join("node_modules", native);
  if (!existsSync(folder)) {
    const install = `npm ci --os=${platform} --cpu=${arch}`;
    throw new Error(`package: lmdb's build for ${target} is not installed: ${install}`);
  }
  const builds = readdirSync(folder).filter((name) => /^node\.napi(\.glibc)?\.node$/.test(name));
  if (builds.length !== 1) throw new Error(`package: ${folder} has ${builds.length} builds, not 1`);
  stagePackage(native, ["package.json", "index.js", ...builds]);
  const read = ["read", "write", "keys", "caching", "level", "util/when"];
  const scripts = ["node-index", "index", "open", "native", ...read].map((name) => `${name}.js`);
  stagePackage("lmdb", ["package.json", ...scripts]);
  const packing = ["node-index", "index", "pack", "unpack", "stream", "iterators", "struct"];
  stagePackage("msgpackr", ["package.json", ...packing.map((name) => `${name}.js`)]);
  stagePackage("weak-lru-cache", ["package.json", "index.js", "LRFUExpirer.js"]);
  for (const name of ["ordered-binary", "@harperfast/extended-iterable"])
    stagePackage(name, ["package.json", "index.js"]);
  const loader = ["package.json", "index.js", "node-gyp-build.js"];
  stagePackage("node-gyp-build-optional-packages", loader);
  stagePackage("detect-libc", ["package.json", "lib"]);
}

/** The parser and the grammars that the table of languages names. */
function stageGrammars() {
  const table = readFileSync("sidecar/workspace/syntax/languages.ts", "utf8");
  const rows = [...table.matchAll(/^ {2}\["\w+", "([\w-]+)", "\./gm)];
  const grammars = [...new Set(rows.map(([, grammar]) => grammar))];
  if (grammars.length === 0) throw new Error("package: the table of languages names no grammar");
  const names = ["tree-sitter.js", "tree-sitter.wasm"];
  names.push(...grammars.map((grammar) => `tree-sitter-${grammar}.wasm`));
  const paths = names.map((name) => `wasm/${name}`);
  stagePackage("@vscode/tree-sitter-wasm", ["package.json", ...paths]);
}

/** Node finds these from the bundles in out/; vsce leaves out only a node_modules at the very top. */
function stagePackage(name, paths) {
  for (const path of paths)
    cpSync(join("node_modules", name, path), join(stage, "out/node_modules", name, path), {
      recursive: true,
      filter: (source) => !/\.(map|d\.ts)$/.test(source),
    });
}

/** The licences of everything that the bundles may hold. */
function notices() {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && !dev && existsSync(path))
    .map(([path, { version, license }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return `${name} ${version} (${license})\n\n${licenceText(path)}`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenceText(folder) {
  const name = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
  return name === undefined ? "" : readFileSync(join(folder, name), "utf8");
}

function pack() {
  const vsce = resolve("node_modules/@vscode/vsce/vsce");
  const links = ["--no-rewrite-relative-links", "--allow-missing-repository"];
  const args = ["package", "--no-dependencies", ...links, "--target", target, "--out", file];
  run([vsce, ...args], stage);
  const { size } = statSync(file);
  if (size > byteLimit) throw new Error(`package: ${file} of ${size} bytes exceeds ${byteLimit}`);
  console.log(`${file}: ${(size / 1e6).toFixed(1)} MB`);
}

function node(...args) {
  run(args, process.cwd());
}

function run(args, cwd) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`package: ${args[0]} failed`);
}
