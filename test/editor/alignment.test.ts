// A cursor inside one of the model's tokens, in a real editor on real weights: what is shown goes on
// exactly where the typing stopped.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const cases: { file: string; text: string; typed: string; ghost: RegExp }[] = [
  {
    file: "word.js",
    text: "const items = [1, 2, 3];\nconst total = items.length;\n",
    typed: "conso",
    ghost: /^le\.log\(/,
  },
  {
    file: "block.js",
    text: `function greet(name) {\n  const text = "Hello, " + name;\n  `,
    typed: "conso",
    ghost: /^le\.log\(/,
  },
  {
    file: "bracket.js",
    text: `const settings = { name: "a" };\nconsole.log(`,
    typed: "JSON.stri",
    ghost: /^ngify\(/,
  },
];

const { test } = useSession({
  name: "alignment",
  files: Object.fromEntries(cases.map(({ file, text }) => [file, text])),
});

for (const { file, text, typed, ghost } of cases) {
  test(`${typed} goes on inside its word in ${file}`, async (session) => {
    const { workbench } = session;
    // What is typed before is not asked for once the model is ready.
    await workbench.statusItem().locator(".codicon-sparkle").waitFor();
    await workbench.openFile(file, text.slice(0, 10));
    await workbench.typeAtEnd(typed);
    const shown = await workbench.ghostText();
    await session.takePicture(`ghost text ${file}`);
    assert.match(shown, ghost);
    await workbench.page.keyboard.press("Tab");
    await workbench.save();
    const added = session.readFile(file).slice(text.length);
    assert.ok(added.startsWith(typed), added);
    assert.match(added.slice(typed.length), ghost);
  });
}
