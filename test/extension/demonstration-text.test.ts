import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addition,
  exampleText,
  isTask,
  withoutExample,
} from "../../extension/demonstration-text.ts";
import { parseDemonstrations } from "../../sidecar/selection/demonstrations.ts";

test("the first example of a file comes behind its language, the next behind a separator", () => {
  const first = added("", "Add two numbers", "const sum = a + b;\n");
  assert.equal(first, "---\nlanguage: typescript\n---\nAdd two numbers\n=>\nconst sum = a + b;\n");
  assert.equal(added(first, "", "  return a;"), `${first}***\n  return a;\n`);
  assert.equal(added("One", "", "Two"), "One\n***\nTwo\n");
  assert.equal(added("---\ntitle: ours\n---\n", "", "One"), "---\ntitle: ours\n---\nOne\n");
});

test("a text with lines that mean something is fenced, by more marks than it has", () => {
  assert.equal(exampleText("", "a\n***\nb", "markdown"), "```markdown\na\n***\nb\n```");
  assert.equal(exampleText("", "````\na\n````", "markdown"), "`````markdown\n````\na\n````\n`````");
  assert.equal(exampleText("", "a * b => c", "typescript"), "a * b => c");
  assert.equal(exampleText("", "a\n```npm test```", "markdown"), "a\n```npm test```");
});

test("a line that separates cannot be a task", () => {
  const refused = ["=>", "***", "```", "~~~ts", "---", "     ~~~"];
  assert.deepEqual(refused.filter(isTask), []);
  assert.ok(["", "Add => sum", "*** find a user", "```npm test```"].every(isTask));
});

const line = fc.oneof(
  fc.constantFrom("***", "=>", "---", "```", "````ts", "~~~", "", "  ", "language: c"),
  fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
);
const examples = fc.array(
  fc.record({
    task: line.filter(isTask),
    text: fc
      .array(line, { minLength: 1, maxLength: 6 })
      .map((lines) => lines.join("\n"))
      .filter((text) => text.trim() !== ""),
  }),
  { minLength: 1, maxLength: 5 },
);

test("whatever is added is read back as that many examples, with their tasks", () => {
  fc.assert(
    fc.property(examples, (given) => {
      const file = given.reduce((text, example) => added(text, example.task, example.text), "");
      const { languages, demonstrations, problems } = parseDemonstrations(file);
      assert.deepEqual([languages, problems], [["typescript"], []]);
      assert.deepEqual(
        demonstrations.map(({ task }) => task),
        given.map(({ task }) => (task.trim() === "" ? null : task.trim())),
      );
    }),
  );
});

test("what is taken out is gone, the rest stays, and with the last example the file goes", () => {
  fc.assert(
    fc.property(examples, fc.nat(), (given, chosen) => {
      const file = given.reduce((text, example) => added(text, example.task, example.text), "");
      const before = parseDemonstrations(file).demonstrations;
      const index = chosen % before.length;
      const { startLine = 0, endLine = 0 } = before[index] ?? {};
      const rest = withoutExample(file, { startLine: startLine - 1, endLine });
      const left = rest === null ? [] : parseDemonstrations(rest).demonstrations;
      const shown = (demonstrations: typeof before) =>
        demonstrations.map(({ task, text }) => ({ task, text }));
      assert.deepEqual(shown(left), shown(before.toSpliced(index, 1)));
      assert.equal(rest === null, before.length === 1);
    }),
  );
});

test("a separator too many does no harm", () => {
  const file = "***\nOne\n\n***\n***\n\nTwo\n";
  assert.equal(withoutExample(file, { startLine: 1, endLine: 2 }), "***\n***\n\nTwo\n");
  assert.equal(withoutExample("***\nOne\n***\n", { startLine: 1, endLine: 2 }), null);
});

function added(text: string, task: string, code: string): string {
  return `${text}${addition(text, exampleText(task, code, "typescript"), "typescript")}`;
}
