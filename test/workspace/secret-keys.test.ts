// Private keys in every format and every way of writing them into a file: all of their lines are
// found, and no others. The keys are made at run time.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { test } from "node:test";
import { findSecrets } from "../../sidecar/workspace/secrets.ts";

const dashes = "-".repeat(5);
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed25519 = generateKeyPairSync("ed25519");
const x25519 = generateKeyPairSync("x25519");
const dsa = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 });
const locked = { cipher: "aes-256-cbc", passphrase: "x" };

const keys: Record<string, string> = {
  "PKCS#1": pem(rsa.privateKey, "pkcs1"),
  "PKCS#1, encrypted": pem(rsa.privateKey, "pkcs1", locked),
  "PKCS#8": pem(rsa.privateKey, "pkcs8"),
  "PKCS#8, encrypted": pem(rsa.privateKey, "pkcs8", locked),
  "SEC 1": pem(ec.privateKey, "sec1"),
  "SEC 1 in PKCS#8": pem(ec.privateKey, "pkcs8"),
  Ed25519: pem(ed25519.privateKey, "pkcs8"),
  "Ed25519, encrypted": pem(ed25519.privateKey, "pkcs8", locked),
  X25519: pem(x25519.privateKey, "pkcs8"),
  DSA: pem(dsa.privateKey, "pkcs8"),
  OpenSSH: block("OPENSSH PRIVATE KEY", ["b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"], 9),
  OpenPGP: block("PGP PRIVATE KEY BLOCK", ["Version: GnuPG v2", "Comment: of a test", ""], 20),
  SSH2: block("SSH2 ENCRYPTED PRIVATE KEY", ['Comment: "of a test"'], 8).replace(/-{5}/g, "---- "),
  PuTTY: [
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: of a test\nPublic-Lines: 2",
    `${base64Lines(2)}\nPrivate-Lines: 1\n${base64Lines(1)}`,
    `Private-MAC: ${randomBytes(32).toString("hex")}`,
  ].join("\n"),
};

type Write = (lines: readonly string[]) => string;
const ways: Record<string, Write> = {
  whole: (lines) => lines.join("\n"),
  "with CRLF": (lines) => lines.join("\r\n"),
  indented: (lines) => `key: |\n${lines.map((line) => `    ${line}`).join("\n")}`,
  "in a template": (lines) => `const key = \`${lines.join("\n")}\`;`,
  "as added strings": (lines) => lines.map((line) => `  "${line}\\n" +`).join("\n"),
  "as strings side by side": (lines) => lines.map((line) => `    '${line}\\n'`).join("\n"),
  "as statements": (lines) => lines.map((line) => `key += "${line}\\n";`).join("\n"),
  "as a list": (lines) => lines.map((line) => `    "${line}",`).join("\n"),
  "on one line": (lines) => `  "private_key": "${lines.join("\\n")}\\n",`,
  "escaped twice": (lines) => `  "config": "{\\"key\\": \\"${lines.join("\\\\n")}\\"}",`,
  "in XML": (lines) => `<key>${lines.join("&#10;")}</key>`,
  "behind //": (lines) => lines.map((line) => `// ${line}`.trimEnd()).join("\n"),
  "behind #": (lines) => lines.map((line) => `# ${line}`.trimEnd()).join("\n"),
  "behind *": (lines) => lines.map((line) => ` * ${line}`.trimEnd()).join("\n"),
};
const before = "import os\n\n\ndef sign(message):\n    return do_sign(KEY, message)\n";
const after = "\n\nclass Signer:\n    name = 'signer'\n    key_size = 2048\n";

for (const [format, key] of Object.entries(keys)) {
  for (const [way, write] of Object.entries(ways)) {
    test(`${format} ${way}: every line and no other`, () =>
      checkLines(write(key.split("\n")), way === "indented" ? 1 : 0));
  }
  const cut = key.split("\n").slice(0, -1);
  if (format !== "PuTTY") {
    test(`${format} without its end`, () => checkLines(cut.join("\n"), 0));
    test(`${format} without its end, as strings`, () =>
      checkLines((ways["as added strings"] as Write)(cut), 0));
  }
}

const bareKeys: Record<string, string> = {
  "a key without its mark": `key = "${base64Of(keys["PKCS#8"])}"`,
  "an elliptic key without its mark": `key = "${base64Of(keys["SEC 1"])}"`,
  "an encrypted key without its mark": `key = "${base64Of(keys["PKCS#8, encrypted"])}"`,
  "a key in base64 a second time": `client-key-data: ${Buffer.from(keys["PKCS#1"] ?? "").toString("base64")}`,
  "an age key": `# ${["AGE", "SECRET", "KEY", "1"].join("-")}${randomBytes(58)
    .toString("base64")
    .replace(/[^A-Za-z0-9]/g, "Q")
    .toUpperCase()
    .slice(0, 58)}`,
  "a JWK": JSON.stringify(rsa.privateKey.export({ format: "jwk" })),
  "a JWK of a curve": JSON.stringify(ed25519.privateKey.export({ format: "jwk" })),
};
for (const [label, line] of Object.entries(bareKeys)) test(label, () => checkLines(line, 0));

test("the members of a JWK that are no secret stay", async () => {
  const text = JSON.stringify(ec.privateKey.export({ format: "jwk" }), null, 2);
  const line = text.split("\n").findIndex((each) => each.includes('"d"'));
  const found = await findSecrets(text, "key.json");
  assert.deepEqual(found, [{ startLine: line, endLine: line + 1 }]);
});

const publicKey = rsa.publicKey.export({ format: "pem", type: "spki" }).toString();
const harmless: Record<string, string> = {
  "a public key": publicKey,
  "a public key without its mark": `key = "${base64Of(publicKey)}"`,
  "a certificate": block(
    "CERTIFICATE",
    ["MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEw"],
    9,
  ),
  "a public key of PGP": block("PGP PUBLIC KEY BLOCK", [""], 9),
  "a signature of SSH": block("SSH SIGNATURE", [], 5),
  "a mark alone": `if (text.startsWith("${dashes}BEGIN PRIVATE KEY${dashes}")) return "PKCS#8";\n`,
  "two marks and code": `const begin = "${dashes}BEGIN PRIVATE KEY${dashes}";
const end = "${dashes}END PRIVATE KEY${dashes}";
const body = text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).replace(/\\s/g, "");
return crypto.subtle.importKey("pkcs8", decode(body), algorithmOfParameters, false, ["sign"]);\n`,
  "a key left out": `${dashes}BEGIN PRIVATE KEY${dashes}\n...\n${dashes}END PRIVATE KEY${dashes}\n`,
  "a key to be filled in": `KEY="${dashes}BEGIN PRIVATE KEY${dashes}\\nYOUR_PRIVATE_KEY_HERE\\n${dashes}END PRIVATE KEY${dashes}"`,
};
for (const [label, text] of Object.entries(harmless))
  test(`${label} is no private key`, async () => {
    assert.deepEqual(await findSecrets(`${before}${text}${after}`, "a.py"), []);
  });

async function checkLines(secret: string, open: number): Promise<void> {
  const found = await findSecrets(`${before}${secret}${after}`, "a.py");
  const lines = found?.flatMap(({ startLine, endLine }) => range(startLine, endLine));
  const first = before.split("\n").length - 1;
  assert.deepEqual(lines, range(first + open, first + secret.split("\n").length));
}

function pem(key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1", lock: object = {}): string {
  return key
    .export({ format: "pem", type, ...lock })
    .toString()
    .trim();
}

function block(label: string, head: readonly string[], count: number): string {
  const marks = [`${dashes}BEGIN ${label}${dashes}`, `${dashes}END ${label}${dashes}`];
  return [marks[0], ...head, base64Lines(count), marks[1]].join("\n");
}

function base64Lines(count: number): string {
  return Array.from({ length: count }, () => randomBytes(48).toString("base64")).join("\n");
}

function base64Of(text = ""): string {
  return text.replace(/-----[^-]+-----|\s/g, "");
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
