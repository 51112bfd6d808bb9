// What the README promises is there: its commands, its files, its settings with their defaults.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const readme = readFileSync("README.md", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

test("every npm script of the README is in package.json", () => {
  const scripts = [...readme.matchAll(/npm (?:run )?(start|test|[a-z:]+)\b/g)].map(
    ([, name]) => name,
  );
  assert.ok(scripts.includes("start") && scripts.includes("test"));
  assert.deepEqual(
    scripts.filter((name) => name !== "run" && !(`${name}` in manifest.scripts)),
    [],
  );
});

test("every file that the documents link to exists", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, file = ""]) => file);
  assert.deepEqual(
    links.filter((file) => !existsSync(file)),
    [],
  );
});

test("every path that ARCHITECTURE.md names exists", () => {
  const page = readFileSync("ARCHITECTURE.md", "utf8");
  const paths = [...page.matchAll(/`((?:sidecar|extension|test)\/[^`]*)`/g)].map(
    ([, path = ""]) => path,
  );
  assert.ok(paths.length > 10);
  assert.deepEqual(
    paths.filter((path) => !existsSync(path)),
    [],
  );
});

test("the settings table is that of package.json", () => {
  const sections: { properties: Record<string, unknown> }[] = manifest.contributes.configuration;
  const declared = sections.flatMap(({ properties }) => Object.keys(properties)).sort();
  const listed = [...readme.matchAll(/^\| `(pith\.[a-zA-Z.]+)`/gm)].map(([, name]) => name).sort();
  assert.deepEqual(listed, declared);
});
