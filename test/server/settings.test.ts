import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readSettings } from "../../sidecar/server/settings.ts";

const standard = readSettings(undefined);

const incomplete = [null, 3, "words", [], {}, { model: 7, languages: null, enable: "yes" }];
const wrong = [
  { languages: [], exclude: "out", bank: 7, memories: null },
  { exclude: ["out", 7], bank: { limit: "7" }, memories: { budget: null, form: "soft" } },
  { multiline: "always", alignment: "none", trace: "all" },
];
for (const given of [...incomplete, ...wrong]) {
  test(`${JSON.stringify(given)} leaves every default`, () =>
    assert.deepEqual(readSettings(given), standard));
}

test("what is given counts, what is unknown does not", () => {
  const settings = readSettings({ enable: false, model: "smollm2-135m", colour: "green" });
  assert.deepEqual(settings, { ...standard, enable: false, model: "smollm2-135m" });
});

test("a group of settings may be given in part", () => {
  const settings = readSettings({ memories: { budget: 96 }, bank: {}, exclude: ["out"] });
  const memories = { ...standard.memories, budget: 96 };
  assert.deepEqual(settings, { ...standard, memories, exclude: ["out"] });
});

test("an encoding is a name", () => {
  const { encodings } = readSettings({ encodings: { "*": "utf8", java: 5 } });
  assert.deepEqual(encodings, { "*": "utf8" });
});

test("a budget that the window does not hold is cut to what it holds", () => {
  const budgets = [-1, 12.5, 1e9].map((budget) => readSettings({ memories: { budget } }));
  const { minimum, maximum } = declared().get("pith.memories.budget") ?? {};
  assert.deepEqual(
    budgets.map(({ memories }) => memories.budget),
    [minimum, 12, maximum],
  );
});

test("the defaults are those of package.json, and every word of its lists is admitted", () => {
  for (const [name, { default: value, enum: words = [] }] of declared()) {
    const path = name.split(".").slice(1);
    assert.deepEqual(at(standard, path), value, name);
    for (const word of words) assert.equal(at(readSettings(nested(path, word)), path), word);
  }
});

interface Declared {
  default: unknown;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

function declared(): Map<string, Declared> {
  const { contributes } = JSON.parse(readFileSync("package.json", "utf8"));
  const sections: { properties: Record<string, Declared> }[] = contributes.configuration;
  return new Map(sections.flatMap(({ properties }) => Object.entries(properties)));
}

function at(settings: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], settings);
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}
