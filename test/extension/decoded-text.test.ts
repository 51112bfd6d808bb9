import assert from "node:assert/strict";
import { test } from "node:test";
import { decodedPages } from "../../extension/decoded-text.ts";
import { placeInLine } from "../../extension/selection-text.ts";
import type { DecodedText } from "../../sidecar/protocol.ts";

const place = { kind: "span" as const, path: "src/a.ts", startLine: 9, endLine: 12 };
const memory: DecodedText = {
  ...{ kind: "decoded", place, positions: 4, tokenCount: 41 },
  text: "// src/a.ts\nconst a = 1;\n\nconst b = 2;\n",
  decoded: "// src/a.ts\r\nconst a = a",
};

test("text and decoded text stand under the same heads, a line below a line", () => {
  assert.deepEqual(decodedPages([memory, { ...memory, text: "b\n", decoded: "" }]), {
    text: `[10.3x] src/a.ts:10-12  41 -> 4
    // src/a.ts
    const a = 1;

    const b = 2;
[10.3x] src/a.ts:10-12  41 -> 4
    b
`,
    decoded: `[10.3x] src/a.ts:10-12  41 -> 4
    // src/a.ts
    const a = a
[10.3x] src/a.ts:10-12  41 -> 4

`,
  });
});

test("a head leads back to its place", () => {
  const [head = ""] = decodedPages([memory]).decoded.split("\n");
  assert.deepEqual(placeInLine(head), { path: "src/a.ts", startLine: 9, endLine: 12 });
});
