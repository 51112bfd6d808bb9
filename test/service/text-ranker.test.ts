import assert from "node:assert/strict";
import { test } from "node:test";
import { rankTexts } from "../../sidecar/text-ranker.ts";
import { SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";

const reader = new SyntaxReader();
const nothing = { prefix: "", before: "", after: "" };

async function order(
  place: Parameters<typeof rankTexts>[1],
  texts: Parameters<typeof rankTexts>[2],
): Promise<number[]> {
  return (await rankTexts(reader, place, texts)).map(({ index }) => index);
}

test("what defines a name in sight comes before what uses it", async () => {
  const texts = [
    { path: "use.py", text: "print(tall_tower(3))\nprint(tall_tower(4))\n" },
    { path: "define.py", text: "def tall_tower(height):\n    return height\n" },
  ];
  const before = "floors = tall_tower(";
  assert.deepEqual(
    await order({ path: "main.py", ...nothing, prefix: before, before }, texts),
    [1, 0],
  );
});

test("imports above the near text count, by the file's language", async () => {
  const texts = [
    { path: "lib/walls.ts", text: "export const colourOf = (wall: Wall) => wall.colour;\n" },
    { path: "lib/doors.ts", text: "export const handleOf = (door: Door) => door.handle;\n" },
  ];
  const place = { path: "main.ts", before: "const a = ", after: "" };
  const prefix = 'import { handleOf } from "./lib/doors";\nconst a = ';
  assert.deepEqual(await order({ ...place, prefix }, texts), [1, 0]);
  const [first] = await rankTexts(reader, { ...place, path: "notes.txt", prefix }, texts);
  assert.equal(first?.score, 0);
});

test("a span of the file at hand and one without a path are ranked as well", async () => {
  const texts = [
    { text: "the gate of the garden" },
    { path: "main.ts", text: "function openGate() {}\n" },
    { path: "main.ts", text: "function closeShutters() {}\n" },
  ];
  const before = "openGate(); closeShutters(); // the garden ";
  const ranked = await order({ path: "main.ts", ...nothing, prefix: before, before }, texts);
  assert.deepEqual(ranked.toSorted(), [0, 1, 2]);
  assert.ok(ranked.indexOf(1) < 2 && ranked.indexOf(2) < 2);
});

test("where nothing is known the order stays, with a score of 0", async () => {
  const texts = [{ text: "one" }, { text: "" }, { text: "three" }];
  const ranked = await rankTexts(reader, nothing, texts);
  assert.deepEqual(
    ranked,
    [0, 1, 2].map((index) => ({ index, score: 0 })),
  );
  assert.deepEqual(await rankTexts(reader, nothing, []), []);
});
