import assert from "node:assert/strict";
import { test } from "node:test";
import { findStop, meanLogProbability, readAnswer } from "../../sidecar/completion/answer.ts";
import type { Choice } from "../../sidecar/engine/sampler.ts";

/** Choices with the ids 0, 1, 2 …; counts how many were asked for. */
function scripted(length: number, ending: "end" | "length") {
  const asked = { count: 0, isClosed: false };
  async function* choose(): AsyncGenerator<Choice, "end" | "length"> {
    try {
      for (let id = 0; id < length; id += 1) {
        asked.count += 1;
        yield { id, logProbability: -id };
      }
      return ending;
    } finally {
      asked.isClosed = true;
    }
  }
  return { choices: choose(), asked };
}

/** Decodes id i to the i-th piece. */
function decoderOf(pieces: readonly string[]) {
  return { push: (id: number) => pieces[id] ?? "?" };
}

test("a text ends with the choices, for their reason", async () => {
  for (const ending of ["end", "length"] as const) {
    const { choices } = scripted(3, ending);
    const answer = await readAnswer(choices, decoderOf(["a", "", "bc"]), () => false);
    assert.equal(answer.text, "abc");
    assert.equal(answer.finish, ending);
    assert.deepEqual(
      answer.tokens.map(({ start }) => start),
      [0, 1, 1],
    );
  }
});

test("no choice is asked for once the text is complete, and the choices are closed", async () => {
  const { choices, asked } = scripted(9, "end");
  const answer = await readAnswer(choices, decoderOf(["a", "b;", "c"]), (text) =>
    text.includes(";"),
  );
  assert.deepEqual([answer.text, answer.finish], ["ab;", "stop"]);
  assert.deepEqual(asked, { count: 2, isClosed: true });
});

test("a failing choice fails the answer", async () => {
  async function* fail(): AsyncGenerator<Choice, "end" | "length"> {
    yield { id: 0, logProbability: 0 };
    throw new Error("broken");
  }
  await assert.rejects(
    readAnswer(fail(), decoderOf(["a"]), () => false),
    /broken/,
  );
});

const stops: [text: string, stops: string[], from: number, index: number][] = [
  ["abc\nd", ["\n"], 0, 3],
  ["ab--", ["--"], 3, 2],
  ["ab--cd", ["cd", "--"], 0, 2],
  ["abc", ["d"], 0, -1],
  ["abc", [], 0, -1],
  ["abc", [""], 0, -1],
  ["a;b;c", [";"], 2, 3],
];
for (const [text, words, from, index] of stops) {
  test(`${JSON.stringify(words)} stops ${JSON.stringify(text)} from ${from} at ${index}`, () => {
    assert.equal(findStop(text, words, from), index);
  });
}

test("a stop across tokens is found wherever the tokens are cut", () => {
  const text = "const a = 1;\n\nconst b";
  const whole = text.indexOf("\n\n");
  for (let cut = 0; cut < text.length; cut += 1) {
    const early = findStop(text.slice(0, cut), ["\n\n"], 0);
    assert.equal(early < 0 ? findStop(text, ["\n\n"], cut) : early, whole);
  }
});

test("the mean log-probability is of the tokens that reach what is shown", () => {
  const tokens = [0, 2, 2, 5].map((start, id) => ({ id, start, logProbability: -id }));
  assert.equal(meanLogProbability(tokens), -1.5);
  assert.equal(meanLogProbability(tokens, 3), -1);
  assert.equal(meanLogProbability(tokens, 0), Number.NaN);
});
