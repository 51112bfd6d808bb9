import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readSettings } from "../../sidecar/server/settings.ts";

const standard = readSettings(undefined);

const incomplete = [null, 3, "words", [], {}, { model: 7, languages: null, enable: "yes" }];
for (const given of incomplete) {
  test(`${JSON.stringify(given)} leaves every default`, () =>
    assert.deepEqual(readSettings(given), standard));
}

test("what is given counts, what is unknown does not", () => {
  const settings = readSettings({ enable: false, model: "smollm2-135m", colour: "green" });
  assert.deepEqual(settings, { ...standard, enable: false, model: "smollm2-135m" });
});

test("the defaults are those of package.json", () => {
  const { contributes } = JSON.parse(readFileSync("package.json", "utf8"));
  const sections: { properties: Record<string, { default: unknown }> }[] =
    contributes.configuration;
  const declared = sections.flatMap(({ properties }) => Object.entries(properties));
  for (const [name, { default: value }] of declared) {
    const key = name.replace("pith.", "") as keyof typeof standard;
    assert.deepEqual(standard[key], value, name);
  }
});
