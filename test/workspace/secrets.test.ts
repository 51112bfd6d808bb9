// Secrets are found on their lines. They are made at run time, so that none stands in this file.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { findSecrets } from "../../sidecar/workspace/secrets.ts";

const letters = (count: number): string =>
  randomBytes(4 * count)
    .toString("base64")
    .replace(/[^a-zA-Z0-9]/g, "")
    .slice(0, count);
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const before = "const a = 1;\nconst b = 2;\n";

const cases: [label: string, secret: string][] = [
  ["a GitHub token", `const token = "ghp_${letters(36)}";\n`],
  ["an AWS secret key", `const aws_secret_access_key = "${letters(40)}";\n`],
  ["a Slack token", `SLACK = "xoxb-123456789012-1234567890123-${letters(24)}"\n`],
  ["a password in an address", `db("postgres://admin:${letters(12)}@db.internal:5432/shop");\n`],
  ["a private key", `const key = \`${privateKey}\`;\n`],
];
for (const [label, secret] of cases) {
  test(`${label} is found, on its lines alone`, async () => {
    const found = await findSecrets(`${before}${secret}const c = 3;\n`, "a.ts");
    const lineCount = secret.trimEnd().split("\n").length;
    const isWithin = found?.every(
      ({ startLine, endLine }) => startLine >= 2 && endLine <= 2 + lineCount,
    );
    assert(found !== null && found.length > 0 && isWithin, JSON.stringify(found));
    // All of the key's letters, not its first line only.
    const lines = new Set(found.flatMap((each) => range(each.startLine, each.endLine)));
    assert(lines.size >= (label === "a private key" ? 25 : 1), `${lines.size} lines`);
  });
}

test("code without secrets has none", async () => {
  assert.deepEqual(await findSecrets(`${before}const password = readPassword();\n`, "a.ts"), []);
});

test("scanning leaves nothing behind in the process", async () => {
  for (let count = 0; count < 20; count += 1) await findSecrets(before, `${count}.ts`);
  assert.equal(performance.getEntries().filter(({ entryType }) => entryType === "mark").length, 0);
});

test("a text that the rules throw at is unchecked, and the next one is checked", async (context) => {
  const failing = context.mock.method(String.prototype, "matchAll", () => {
    throw new RangeError("made by the test");
  });
  assert.equal(await findSecrets(before, "a.ts"), null);
  failing.mock.restore();
  assert.deepEqual(await findSecrets(before, "a.ts"), []);
});

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
