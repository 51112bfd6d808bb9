// Sets a fresh machine up, then runs. `node setup.mjs start` opens an editor with Pith and a sample
// project; `node setup.mjs test` fetches everything that the tests need. Plain JavaScript over
// Node's own modules, because it runs before anything is installed. What is there is left alone.
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";

const root = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const cache = join(root, ".cache");
const isWindows = process.platform === "win32";

/** 4.100.3 is the newest code-server that runs on Node 20; VS Code 1.100 is inside. */
const codeServerVersion = "4.100.3";
const codeServer = join(cache, "code-server/node_modules/code-server");
const codeServerEntry = join(codeServer, "out/node/entry.js");
const vscode = join(codeServer, "lib/vscode");
const defaultModel = "qwen2.5-coder-0.5b";
const testModels = ["smollm2-135m", defaultModel];

const verbs = {
  async start() {
    prepareCheckout();
    fetchModels([defaultModel]);
    if (findOnPath("code")) await openDesktop();
    else {
      installCodeServer();
      await serveBrowserEditor();
    }
  },
  test() {
    prepareCheckout();
    fetchModels(testModels);
    installBrowser();
    installCodeServer();
  },
};

process.chdir(root);
const verb = verbs[process.argv[2]];
if (!verb) fail(`usage: node setup.mjs ${Object.keys(verbs).join("|")}`, 2);
await verb();

// Packages and bundles

function prepareCheckout() {
  checkNode();
  if (isInstalled()) say("packages match the lock file");
  else {
    say("installing packages");
    npm(["ci", "--ignore-scripts", "--include=dev"]);
  }
  say("building");
  run(process.execPath, ["build.mjs"]);
}

/** By package.json: `^20.19.0 || >=22.12.0` is from 20.19 on within 20, and all from 22.12 on. */
function checkNode() {
  const { engines } = JSON.parse(readFileSync("package.json", "utf8"));
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const admits = (range) => {
    const [, sign, least, leastMinor] = /^(\^|>=)(\d+)\.(\d+)/.exec(range);
    const isLater = sign === ">=" && major > Number(least);
    return isLater || (major === Number(least) && minor >= Number(leastMinor));
  };
  if (engines.node.split(" || ").some(admits)) return;
  fail(`Pith needs Node ${engines.node}; ${process.execPath} is ${process.versions.node}`);
}

/** npm writes what it installed to a hidden lock file; it must hold what package-lock.json asks for. */
function isInstalled() {
  const wanted = lockedPackages("package-lock.json");
  const present = lockedPackages("node_modules/.package-lock.json");
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    if (!(path in present)) return entry.optional === true && !isForThisPlatform(entry);
    return present[path].version === entry.version && existsSync(join(path, "package.json"));
  });
}

function lockedPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {};
}

/** Packages for one C library only are left to npm's judgement, hence the look at `libc`. */
function isForThisPlatform({ os, cpu, libc }) {
  const admits = (list, value) => !list || list.includes(value);
  return !libc && admits(os, process.platform) && admits(cpu, process.arch);
}

// Models

/** The command line skips a file that is present and verified, and shows its own progress. */
function fetchModels(ids) {
  const env = { PITH_MIRRORS: join(root, "test/support/mirrors.json"), ...process.env };
  for (const id of ids) {
    say(`model ${id}`);
    run(process.execPath, ["out/pith.mjs", "models", "download", id], { env });
  }
}

/** Where the command line keeps models, so that an editor with a home of its own finds them. */
function pithHome() {
  const list = spawnSync(process.execPath, ["out/pith.mjs", "models", "list", "--json"]);
  const { file } = JSON.parse(list.stdout)[0];
  return dirname(dirname(file));
}

// Debian packages

function installBrowser() {
  if (process.env.CHROMIUM || findOnPath("chromium")) return say("chromium is there");
  installDebianPackages(["chromium", "fonts-dejavu-core"], "the editor tests");
}

function installDebianPackages(names, purpose) {
  const command = ["apt-get", "install", "-y", "--no-install-recommends", ...names];
  const byHand = `${purpose} need ${names.join(", ")}: sudo ${command.join(" ")}`;
  if (!findOnPath("apt-get")) fail(`${byHand} (or the like here; CHROMIUM names a browser)`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync("sudo", ["-n", "true"]).status !== 0) fail(byHand);
  say(`installing ${names.join(", ")}`);
  const prefix = isRoot ? [] : ["sudo", "-n"];
  const apt = (...args) => {
    const [program, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", ...args];
    run(program, rest);
  };
  apt("apt-get", "update", "-qq");
  apt(...command, "-qq");
}

// code-server: VS Code in the browser, from the package registry alone

/**
 * Its own install script compiles native modules that nothing here needs and takes minutes, so the
 * steps that matter are taken by hand. argon2 is required at load; without spdlog VS Code works, but
 * every log that it shows is empty, Pith's too.
 */
function installCodeServer() {
  if (isWindows) fail("VS Code in the browser does not run on Windows: put `code` on the PATH");
  if (codeServerStarts()) return say(`code-server ${codeServerVersion} is there`);
  say(`installing code-server ${codeServerVersion} (about 300 MB)`);
  const folder = join(cache, "code-server");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  npm(["install", "--ignore-scripts", `code-server@${codeServerVersion}`], { cwd: folder });
  // `install`, not `ci`: the shrinkwraps that VS Code ships can be out of step with its manifests.
  for (const part of [vscode, join(vscode, "extensions")])
    npm(["install", "--omit=dev", "--ignore-scripts"], { cwd: part });
  installCompiler();
  compile("argon2", folder);
  compile("@vscode/spdlog", vscode);
  if (!codeServerStarts())
    fail(`${codeServerEntry} does not start; delete ${folder} and try again`);
}

function codeServerStarts() {
  const last = join(vscode, "node_modules/@vscode/spdlog/build/Release/spdlog.node");
  if (!existsSync(last) || !existsSync(join(vscode, "extensions/node_modules"))) return false;
  const config = join(cache, "code-server/config.yaml");
  const args = [codeServerEntry, "--version", "--config", config];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 && stdout.includes(codeServerVersion);
}

function installCompiler() {
  if (["g++", "make", "python3"].every(findOnPath)) return;
  installDebianPackages(["g++", "make", "python3"], "the modules of VS Code in the browser");
}

/** Without optimisation, which halves the time; neither module does work that would show it. */
function compile(name, folder) {
  say(`compiling ${name}`);
  const prefix = resolve(process.execPath, "../..");
  const env = { ...process.env, npm_config_build_from_source: "true", CXXFLAGS: "-O0 -g0" };
  if (existsSync(join(prefix, "include/node/node.h"))) env.npm_config_nodedir = prefix;
  else say(`${prefix} has no headers of Node; node-gyp downloads them`);
  npm(["rebuild", name, "--ignore-scripts=false"], { cwd: folder, env });
}

// Editors

async function openDesktop() {
  const folder = sampleProject();
  say(`opening desktop VS Code on ${folder}; close its window to end`);
  const args = ["--new-window", "--wait", `--extensionDevelopmentPath=${root}`, folder];
  await stayWith(spawn("code", args, { stdio: "inherit", shell: isWindows }));
}

async function serveBrowserEditor() {
  const home = join(cache, "start");
  linkExtension(join(home, "extensions"));
  writeFirstSettings(join(home, "data/User"));
  const address = `127.0.0.1:${await freePort(8123)}`;
  const flags = {
    auth: "none",
    "bind-addr": address,
    config: join(home, "config.yaml"),
    "user-data-dir": join(home, "data"),
    "extensions-dir": join(home, "extensions"),
  };
  const switches = ["telemetry", "update-check", "workspace-trust", "getting-started-override"];
  const args = [
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    ...switches.map((name) => `--disable-${name}`),
  ];
  const homes = { XDG_CONFIG_HOME: join(home, "config"), XDG_DATA_HOME: join(home, "share") };
  const log = openSync(join(home, "server.log"), "w");
  const child = spawn(process.execPath, [codeServerEntry, ...args, sampleProject()], {
    stdio: ["ignore", log, log],
    env: { ...process.env, PITH_HOME: pithHome(), ...homes },
  });
  say(`open http://${address}/ in a browser on this machine; Ctrl-C here ends it`);
  await stayWith(child);
}

/** The sample's README comes first, not a tour of the editor; afterwards the settings are the user's. */
function writeFirstSettings(folder) {
  const file = join(folder, "settings.json");
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  const settings = { "workbench.startupEditor": "readme", "chat.disableAIFeatures": true };
  writeFileSync(file, JSON.stringify(settings, null, 2));
}

/** A folder of its own, so that trying Pith out leaves the checkout clean. */
function sampleProject() {
  const folder = join(cache, "sample");
  if (!existsSync(folder)) cpSync(join(root, "test/fixtures/sample"), folder, { recursive: true });
  return folder;
}

/** A link into an extensions folder without an index is found by VS Code's own scan. */
function linkExtension(extensions) {
  const { publisher, name, version } = JSON.parse(readFileSync("package.json", "utf8"));
  const link = join(extensions, `${publisher}.${name}-${version}`);
  mkdirSync(extensions, { recursive: true });
  if (!existsSync(link)) symlinkSync(root, link, "dir");
}

function freePort(wanted) {
  return new Promise((found) => {
    const server = createServer();
    server.once("error", () => found(freePort(0)));
    server.listen(wanted, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** Ctrl-C reaches the child as well, being in the same process group; this only waits for its end. */
async function stayWith(child) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill("SIGTERM"));
  const code = await new Promise((ended) => {
    child.once("error", (error) => fail(error.message));
    child.once("exit", ended);
  });
  process.exit(code ?? 0);
}

// Processes

/** npm names its own program in the environment of a script; outside of one the PATH has it. */
function npm(args, options) {
  const program = process.env.npm_execpath ?? "";
  const quiet = [...args, "--no-audit", "--no-fund", "--loglevel=error"];
  if (program.endsWith("npm-cli.js")) run(process.execPath, [program, ...quiet], options);
  else run("npm", quiet, { shell: isWindows, ...options });
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (status === 0) return;
  fail(`${[command, ...args].join(" ")}: ${error?.message ?? `exit code ${status}`}`);
}

function findOnPath(name) {
  const names = isWindows ? [`${name}.cmd`, `${name}.exe`] : [name];
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders
    .flatMap((folder) => names.map((each) => join(folder, each)))
    .find((file) => existsSync(file));
}

function say(text) {
  process.stderr.write(`pith: ${text}\n`);
}

function fail(text, code = 1) {
  process.stderr.write(`pith: ${text}\n`);
  process.exit(code);
}
