import assert from "node:assert/strict";
import { test } from "node:test";
import { chancesOf } from "../../sidecar/selection/chance.ts";

const cases: [label: string, places: Record<string, number>[], likeliest: number][] = [
  ["the first of equals", [{ alike: 3 }, { alike: 3 }], 0],
  ["the one whose name is in sight before a better place", [{ alike: 0 }, { named: 0 }], 1],
  ["a good place before an unknown ranking", [{ named: 4 }, { other: 0 }], 0],
];

for (const [label, places, likeliest] of cases)
  test(`the likeliest is ${label}`, () => {
    const chances = chancesOf(places.map((each) => ({ places: each })));
    assert.ok(chances.every((chance) => chance > 0));
    assert.ok(chances.reduce((sum, chance) => sum + chance, 0) < 1);
    assert.equal(chances.indexOf(Math.max(...chances)), likeliest);
  });

test("the more rankings begin with it, the likelier it is", () => {
  const steps = [{}, { named: 0 }, { named: 0, alike: 0 }, { named: 0, alike: 0, imported: 0 }];
  const chances = steps.map((places) => chancesOf([{ places }])[0] ?? 0);
  assert.deepEqual(
    chances,
    [...chances].sort((a, b) => a - b),
  );
});
