// One Node version in all places: what package.json admits is what the packages need, no more and no
// less, README and set-up say the same.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
/** Whether every version of the first range is one of the second. */
const isSubset: (range: string, other: string) => boolean = require("semver/ranges/subset");
const { engines } = JSON.parse(readFileSync("package.json", "utf8"));
const lock: { packages: Record<string, { engines?: { node?: string } }> } = JSON.parse(
  readFileSync("package-lock.json", "utf8"),
);
const needs = Object.entries(lock.packages).flatMap(([path, entry]) =>
  path === "" || entry.engines?.node === undefined ? [] : [{ path, node: entry.engines.node }],
);
const leastVersions = [...engines.node.matchAll(/(\d+)\.(\d+)\.0/g)].map(
  ([, major, minor]) => [Number(major), Number(minor)] as const,
);

test("every package of the lock file runs on every version that package.json admits", () => {
  assert.ok(needs.length > 100);
  assert.deepEqual(
    needs.filter(({ node }) => !isSubset(engines.node, node)),
    [],
  );
});

for (const [major, minor] of leastVersions)
  test(`a package needs Node ${major}.${minor}`, () => {
    const older = `${major}.${minor - 1}.99`;
    assert.ok(needs.some(({ node }) => !isSubset(older, node)));
  });

test("the README names the versions of package.json", () => {
  const [, first, second] =
    /need Node (\d+\.\d+), or (\d+\.\d+) and newer/.exec(readFileSync("README.md", "utf8")) ?? [];
  assert.equal(`^${first}.0 || >=${second}.0`, engines.node);
});

for (const version of ["18.20.8", "20.18.3", "21.7.3", "22.11.0"])
  test(`set-up refuses Node ${version} before it does anything`, () => {
    const { status, stderr } = setUp(version);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `pith: Pith needs Node ${engines.node}; ${process.execPath} is ${version}\n`,
    );
  });

for (const version of ["20.19.0", "20.20.2", "22.12.0", "23.0.0", "24.1.0"])
  test(`set-up goes on with Node ${version}`, () => {
    assert.doesNotMatch(setUp(version).stderr, /needs Node/);
  });

/** As if that version ran it; the run ends where packages would be looked at. */
function setUp(version: string) {
  const preload = `Object.defineProperty(process, "versions", { value: { node: "${version}" } });
    process.stderr.write = ((write) => (text) => {
      write.call(process.stderr, text);
      process.exit(1);
    })(process.stderr.write);`;
  const url = `data:text/javascript,${encodeURIComponent(preload)}`;
  const args = ["--import", url, "setup.mjs", "test"];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}
