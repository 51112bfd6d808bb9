import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { parseAdapter } from "../../sidecar/memory/adapter.ts";
import {
  adapterMetadata,
  adapterTensors,
  randomAdapter,
  type WrittenSafetensor,
  writeSafetensors,
} from "../support/random-adapter.ts";

const backbone = {
  ...{ sha256: "a".repeat(64), hiddenSize: 8, layerCount: 2, headCount: 2, kvHeadCount: 1 },
  ...{ headDim: 4, feedForwardSize: 16, rotaryInterleaved: true },
};

for (const arm of ["uni", "uni+ slots", "uni+ pool"] as const)
  for (const type of ["F32", "F16", "BF16"] as const)
    test(`read: ${arm} in ${type}`, () => {
      const adapter = parseAdapter("a", randomAdapter(backbone, { arm, type }), backbone);
      assert.equal(adapter.arm, arm);
      assert.equal(adapter.slot === null, arm === "uni+ pool");
      assert.equal(adapter.projection.weight.length, 64);
      const first = adapterTensors(backbone, { arm })[0]?.bytes ?? new Uint8Array();
      const expected = new Float32Array(first.slice().buffer);
      for (const [index, value] of adapter.separator.entries())
        assert.ok(Math.abs(value - (expected[index] ?? 0)) < 2e-3);
    });

test("LoRA of all layers is read, and only with its rank", () => {
  const options = { arm: "uni+ slots", rank: 2 } as const;
  const { lora } = parseAdapter("a", randomAdapter(backbone, options), backbone);
  assert.deepEqual(
    [...(lora ?? [])].map(([name, { rank, a, b }]) => [name, rank, a.length, b.length]).slice(4),
    [
      ["1.query_key_value", 6, 6 * 8, 16 * 6],
      ["1.output", 2, 2 * 8, 8 * 2],
      ["1.gate_up", 4, 4 * 8, 32 * 4],
      ["1.down", 2, 2 * 16, 8 * 2],
    ],
  );
  const unranked = writeSafetensors(adapterTensors(backbone, options), adapterMetadata(backbone));
  assert.throws(
    () => parseAdapter("a", unranked, backbone),
    new FormatError('a: tensor "lora.0.q.a" is unknown'),
  );
});

/** A file that is right but for some metadata and tensors. */
function made(
  metadata: Record<string, string | undefined>,
  edit: (tensors: WrittenSafetensor[]) => WrittenSafetensor[] = (tensors) => tensors,
): Uint8Array {
  const all = { ...adapterMetadata(backbone), ...metadata };
  const given = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return writeSafetensors(edit(adapterTensors(backbone)), Object.fromEntries(given));
}

const other = "b".repeat(64);
const nan = new Uint8Array(new Float32Array(8).fill(Number.NaN).buffer);
const wrong: [label: string, bytes: Uint8Array, error: Error][] = [
  [
    "made for other weights",
    made({ backbone_sha256: other, backbone: "smollm2-135m" }),
    new UnsupportedError(
      `a: adapter for smollm2-135m with SHA-256 ${other}, the model has ${backbone.sha256}`,
    ),
  ],
  ["another file", made({ format: undefined }), new FormatError("a: metadata format is missing")],
  [
    "another format",
    made({ format: "pt" }),
    new FormatError("a: format pt, pith-adapter expected"),
  ],
  [
    "a later version",
    made({ version: "2" }),
    new UnsupportedError("a: adapter version 2, only 1 is read"),
  ],
  [
    "another size",
    made({ hidden_size: "16" }),
    new FormatError("a: hidden_size 16, the model has 8"),
  ],
  [
    "an unknown arm",
    made({ arm: "duo" }),
    new UnsupportedError("a: arm duo, only uni, uni+ slots, uni+ pool are known"),
  ],
  [
    "a missing tensor",
    made({}, (tensors) => tensors.filter(({ name }) => name !== "cont")),
    new FormatError("a: tensor cont is missing"),
  ],
  [
    "a tensor of another shape",
    made({}, (tensors) =>
      tensors.map((each) => (each.name === "sep" ? { ...each, shape: [2, 4] } : each)),
    ),
    new FormatError("a: tensor sep is [2, 4], not [8]"),
  ],
  [
    "a value that is no number",
    made({}, (tensors) =>
      tensors.map((each) => (each.name === "sep" ? { ...each, bytes: nan } : each)),
    ),
    new FormatError("a: tensor sep has a value that is not finite"),
  ],
  [
    "a rank that is no count",
    made({ lora_rank: "-1" }),
    new FormatError("a: lora_rank -1 is no count"),
  ],
  ["a giant rank", made({ lora_rank: "257" }), new LimitError("a: lora_rank 257 exceeds 256")],
  [
    "a rank without its tensors",
    made({ lora_rank: "2" }),
    new FormatError("a: tensor lora.0.q.a is missing"),
  ],
  [
    "a slot where the arm pools",
    made({ arm: "uni+ pool" }),
    new FormatError('a: tensor "slot" is unknown'),
  ],
];

for (const [label, bytes, error] of wrong)
  test(`refused: ${label}`, () => assert.throws(() => parseAdapter("a", bytes, backbone), error));
