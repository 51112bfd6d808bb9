// Which files come first where not all can be read, and which have to go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadingOrder } from "../../sidecar/project/reading-order.ts";
import { fileLimit, ReadingQueue } from "../../sidecar/project/reading-queue.ts";

const paths = [
  "a/data.json",
  "a/far.ts",
  "b/c/near.md",
  "b/c/near.ts",
  "b/up.py",
  "z/ways.pith.md",
];

test("sources come before other texts, and the nearest to what is in use before all others", () => {
  const order = new ReadingOrder();
  const sources = ["a/far.ts", "b/c/near.ts", "b/up.py", "z/ways.pith.md"];
  assert.deepEqual(order.sorted(paths), [...sources, "a/data.json", "b/c/near.md"]);
  order.use("b/c/here.ts", []);
  const nearest = ["b/c/near.ts", "b/up.py", "a/far.ts", "z/ways.pith.md"];
  assert.deepEqual(order.sorted(paths), [...nearest, "b/c/near.md", "a/data.json"]);
  order.use("", ["a/open.ts"]);
  assert.equal(order.sorted(paths)[0], "a/far.ts");
  assert.ok(order.isNearer("a/far.ts", "b/up.py") && !order.isNearer("a/far.ts", "a/data.ts"));
});

test("folders that are as near give a file each in turn", () => {
  const order = new ReadingOrder();
  const crowd = ["a/1.ts", "a/2.ts", "a/3.ts", "b/1.ts", "c/1.ts", "c/2.ts"];
  const turns = ["a/1.ts", "b/1.ts", "c/1.ts", "a/2.ts", "c/2.ts", "a/3.ts"];
  assert.deepEqual(order.sorted(crowd), turns);
});

test("what is nearer takes the place of what is not, until nothing is left to be changed", () => {
  const order = new ReadingOrder();
  const open = new Set(["far/0000.ts"]);
  const queue = new ReadingQueue(order, (path) => open.has(path));
  const named = (folder: string) =>
    Array.from({ length: fileLimit }, (_, at) => `${folder}/${String(at).padStart(4, "0")}.ts`);
  /** As a folder does it; returns how many were read. */
  const read = (): number => {
    for (let count = 0; ; ) {
      const wanted = queue.wanted("");
      if (wanted.length === 0) return count;
      for (const path of wanted) {
        const furthest = queue.furthestFor(path);
        if (furthest !== null) queue.wait(furthest);
        queue.keep(path);
      }
      count += wanted.length;
    }
  };
  for (const path of named("far")) queue.find(path);
  assert.equal(read(), fileLimit);
  for (const path of named("near/by")) queue.find(path);
  assert.equal(read(), 0, "what is as near stays");
  assert.ok(queue.unread.has("near/by/0000.ts") && queue.isDone);
  order.use("near/here.ts", []);
  queue.renew();
  assert.equal(read(), fileLimit - 1, "the one that is open stays");
  assert.ok(!queue.unread.has("near/by/0000.ts") && queue.unread.has("far/0001.ts"));
  assert.ok(!queue.unread.has("far/0000.ts"));
  assert.equal(read(), 0);
});
