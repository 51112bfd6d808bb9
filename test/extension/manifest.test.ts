import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readSettings } from "../../extension/config.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties = Object.assign(
  {},
  ...manifest.contributes.configuration.map(
    (section: { properties: object }) => section.properties,
  ),
);
const sources = readdirSync("extension")
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(`extension/${name}`, "utf8"))
  .join("\n");

test("every setting of the manifest is read, and every one that is read is in the manifest", () => {
  const asked: string[] = [];
  const get = (key: string, fallback?: unknown) => {
    asked.push(`pith.${key}`);
    return fallback;
  };
  readSettings({ get } as never, true);
  assert.deepEqual(asked.sort(), Object.keys(properties).sort());
});

test("every setting has a description, a default and settings that name paths are restricted", () => {
  for (const [name, { default: value, markdownDescription }] of Object.entries<Setting>(
    properties,
  )) {
    assert.notEqual(value, undefined, name);
    assert.match(markdownDescription, /^%.+%$/, name);
  }
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.deepEqual(restrictedConfigurations, ["pith.model", "pith.modelFolder"]);
});

test("every command of the manifest has a handler and the other way round", () => {
  const contributed = manifest.contributes.commands.map(
    (each: { command: string }) => each.command,
  );
  const commands = readFileSync("extension/commands.ts", "utf8");
  const handled = [...commands.matchAll(/^ {2}"(pith\.\w+)":/gm)].map(([, id]) => id);
  assert.deepEqual(handled.sort(), contributed.sort());
});

test("every text of the manifest is in package.nls.json, and nothing else is", () => {
  const texts = JSON.parse(readFileSync("package.nls.json", "utf8"));
  const used = [...JSON.stringify(manifest).matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
});

test("every text of the code is in the bundle for translators, and nothing else is", () => {
  const bundle = JSON.parse(readFileSync(`${manifest.l10n}/bundle.l10n.json`, "utf8"));
  const used = [...sources.matchAll(/\bt\(\s*("(?:[^"\\]|\\.)*")/g)].map(([, text = ""]) =>
    JSON.parse(text),
  );
  assert.deepEqual([...new Set(used)].sort(), Object.keys(bundle).sort());
});

for (const [folder, name] of [
  [".", "package.nls"],
  [manifest.l10n, "bundle.l10n"],
]) {
  test(`${name}.json has the same texts in every language, with the same values and links`, () => {
    const read = (file: string) => JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
    const english: Record<string, string> = read(`${name}.json`);
    const others = readdirSync(folder).filter(
      (file) => file.startsWith(`${name}.`) && file !== `${name}.json`,
    );
    assert.deepEqual(others, [`${name}.de.json`]);
    for (const file of others) {
      const texts: Record<string, string> = read(file);
      assert.deepEqual(Object.keys(texts), Object.keys(english), file);
      for (const [key, text] of Object.entries(texts))
        assert.deepEqual(marksOf(text), marksOf(english[key] ?? ""), `${file}: ${key}`);
    }
  });
}

test("what the texts link to is a command of Pith's or of the editor's", () => {
  const texts = readFileSync("package.nls.json", "utf8");
  const linked = [...texts.matchAll(/\(command:([\w.]+)/g)].map(([, id = ""]) => id);
  const ours = manifest.contributes.commands.map((each: { command: string }) => each.command);
  assert.ok(linked.length > 10);
  for (const id of linked) assert.ok(ours.includes(id) || id.startsWith("workbench."), id);
});

test("the walkthrough has four steps, each with a picture and an event that ends it", () => {
  const [{ steps }] = manifest.contributes.walkthroughs;
  assert.equal(steps.length, 4);
  for (const { media, completionEvents } of steps) {
    assert.match(readFileSync(media.svg, "utf8"), /<title>/);
    assert.ok(completionEvents.length > 0);
  }
});

/** The values to fill in, and the addresses of links. */
function marksOf(text: string): string[] {
  return (text.match(/\{\d\}|\]\([^)]+\)/g) ?? []).sort();
}

interface Setting {
  default: unknown;
  markdownDescription: string;
}
