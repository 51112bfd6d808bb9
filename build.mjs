// Bundles the product (extension, sidecar, webview) into out/ and, with `test` or `bench`, those
// programs as well. Packages with native code or wasm stay outside and load from node_modules.
// `--minify`, `--outdir=FOLDER` and `--no-sourcemap` serve packaging, `--watch` serves development.
import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, context } from "esbuild";

const flags = process.argv.slice(2);
const target = flags.find((flag) => !flag.startsWith("--")) ?? "product";
const out = flags.find((flag) => flag.startsWith("--outdir="))?.slice("--outdir=".length) ?? "out";

const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  sourcemap: !flags.includes("--no-sourcemap"),
  logLevel: "warning",
  minify: flags.includes("--minify"),
  alias: { "@secretlint/profiler": "./sidecar/workspace/no-profiler.ts" },
  external: [
    "vscode",
    "onnxruntime-node",
    "tiktoken",
    "lmdb",
    "@vscode/tree-sitter-wasm",
    "node-llama-cpp",
    "esbuild",
    "mocha",
    "playwright-core",
    "@vscode/test-electron",
  ],
};

// CommonJS packages inside an ES module bundle call require(), which ES modules lack.
const banner = {
  js: 'import { createRequire as createRequireOfNode } from "node:module"; const require = createRequireOfNode(import.meta.url);',
};

const product = [
  {
    ...shared,
    format: "cjs",
    entryPoints: { extension: "extension/main.ts" },
    outExtension: { ".js": ".cjs" },
  },
  {
    ...shared,
    format: "esm",
    banner,
    entryPoints: {
      pith: "sidecar/main.ts",
      thread: "sidecar/thread.ts",
      counter: "sidecar/counter.ts",
    },
    outExtension: { ".js": ".mjs" },
    plugins: [executable("pith.mjs")],
  },
  {
    ...shared,
    format: "iife",
    platform: "browser",
    target: "es2022",
    entryPoints: { webview: "webview/main.ts" },
  },
];
const programs = {
  product: [],
  test: [
    {
      ...shared,
      format: "esm",
      banner,
      entryPoints: [...filesBelow("test", ".test.ts"), "test/editor/electron.ts"],
      outbase: "test",
      splitting: false,
      outExtension: { ".js": ".mjs" },
    },
    {
      // Loaded by VS Code's extension host, which calls require() and gives mocha its files by name.
      ...shared,
      format: "cjs",
      entryPoints: filesBelow("test/editor/exthost", ".ts"),
      outbase: "test",
      outExtension: { ".js": ".cjs" },
    },
  ],
  bench: [
    {
      ...shared,
      format: "esm",
      banner,
      entryPoints: filesBelow("test/bench", ".bench.ts"),
      outbase: "test",
      outExtension: { ".js": ".mjs" },
    },
  ],
};
if (!(target in programs))
  throw new Error(`build: target ${target} is not one of ${Object.keys(programs).join(", ")}`);
const outdirOf = (options) => (options.outbase === "test" ? join(out, "test") : out);
const options = [...product, ...programs[target]]
  .filter(({ entryPoints }) => Object.values(entryPoints).some((file) => existsSync(file)))
  .map((options) => ({ ...options, outdir: outdirOf(options) }));

if (flags.includes("--watch")) {
  for (const each of options) await (await context(each)).watch();
} else {
  rmSync(out, { recursive: true, force: true });
  await Promise.all(options.map((each) => build(each)));
}

/** A shell may start the program after every build: npm sets the mode only when it links it. */
function executable(name) {
  return {
    name: "executable",
    setup: ({ initialOptions, onEnd }) =>
      onEnd(({ errors }) => {
        if (errors.length === 0) chmodSync(join(initialOptions.outdir, name), 0o755);
      }),
  };
}

function filesBelow(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}
