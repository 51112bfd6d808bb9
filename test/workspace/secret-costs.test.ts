// Hostile texts, as long as a file may be, of one piece over and over: each search is linear in the
// text. One that is not takes minutes for these, where the slowest takes a second or two.
import assert from "node:assert/strict";
import { test } from "node:test";
import { byteLimit } from "../../sidecar/workspace/read-source.ts";
import { findSecrets } from "../../sidecar/workspace/secrets.ts";

const dashes = "-".repeat(5);
const pieces = [
  ...["-", "a.", "0a", "AAAA", `${dashes}BEGIN `, `${dashes}BEGIN RSA PRIVATE KEY${dashes}`],
  `${dashes}BEGIN PRIVATE KEY${dashes}\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n`,
  ...["PuTTY-User-Key-File-2", "LS0tLS1CRUdJTi", 'kty "d": "aaaaaaaaaaaaaaaaaaaaaaa', "<D>AAAA"],
  ...[
    "token=",
    "token:",
    "token = ",
    "token='",
    "token=\"'",
    '"token",',
    "token(",
    "token||",
    "token\n",
  ],
  ...["token new x(new x(", "token as const ", "token:a<b<c", "secret.default = ", "passwd["],
  ...["://", "://a:b@", "sig=", "password=", "Server=a;Password=b;", "authorization: basic "],
  ...[
    "machine a login b password ",
    "curl -u a:",
    "kind: Secret\n",
    "kind: Secret\ndata:\n  a: b\n",
  ],
  ...["ghp_", "sk_live_", "xoxb-", "key-", "eyJaaaaaaaaaaaa.", "hooks.slack.com/services/"],
];
for (const piece of pieces) {
  test(`${JSON.stringify(piece)} over and over`, { timeout: 60_000 }, async () => {
    const text = piece.repeat(Math.ceil(byteLimit / piece.length)).slice(0, byteLimit);
    assert.notEqual(await findSecrets(text, "a.txt"), undefined);
  });
}
