// Bytes as text, as editors read them: by their mark, by a name, or by what they look like.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { decodeText } from "../../sidecar/workspace/text-encoding.ts";
import { readCorpus } from "../support/corpus.ts";

const text = "# Größe 総計 🙂\r\nx = 1\n";
const be = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const unicode: [label: string, bytes: Buffer, expected: string][] = [
  ["UTF-8", Buffer.from(text), text],
  ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`), text],
  ["UTF-16 LE with a mark", Buffer.from(`\ufeff${text}`, "utf16le"), text],
  ["UTF-16 BE with a mark", be(`\ufeff${text}`), text],
  ["UTF-16 LE", Buffer.from(text, "utf16le"), text],
  ["UTF-16 BE", be(text), text],
  [
    "UTF-16 LE, with a zero in the other place",
    Buffer.from("# 一二三 = (1, 2)\n", "utf16le"),
    "# 一二三 = (1, 2)\n",
  ],
  ["UTF-16 LE with a mark, one letter", Buffer.from("\ufeff一", "utf16le"), "一"],
  ["nothing", Buffer.from(""), ""],
  ["a mark alone", Buffer.from("\ufeff"), ""],
  [
    "half a character at the end",
    Buffer.from(text.repeat(2)).subarray(0, -16),
    `${text}# Größe 総`,
  ],
  ["half of a surrogate pair at the end", Buffer.from("\ufeffa🙂", "utf16le").subarray(0, -1), "a"],
  ["half a unit at the end", Buffer.from("\ufeffab = 1\n", "utf16le").subarray(0, -1), "ab = 1"],
  [
    "one broken character among many",
    Buffer.concat([Buffer.from("äöü".repeat(5)), Buffer.from([0xe4])]),
    "äöü".repeat(5),
  ],
  [
    "one broken character between many",
    Buffer.concat([Buffer.from("äöüäöü"), Buffer.from([0xff]), Buffer.from("äöüäöü")]),
    "äöüäöü\ufffdäöüäöü",
  ],
];
for (const [label, bytes, expected] of unicode)
  test(label, () => assert.equal(decodeText(bytes), expected));

// Bytes by Python's codecs.
const guessed: [label: string, text: string, hex: string][] = [
  ["GBK", "// 返回当前用户的名称\n", "2f2f20b7b5bbd8b5b1c7b0d3c3bba7b5c4c3fbb3c60a"],
  ["GBK", "# 总价\n", "2320d7dcbcdb0a"],
  [
    "GB18030",
    "# 计算订单的总价，包括税费和折扣\n",
    "2320bcc6cbe3b6a9b5a5b5c4d7dcbcdba3acb0fcc0a8cbb0b7d1bacdd5dbbfdb0a",
  ],
  [
    "Big5",
    "# 計算訂單的總價，包括稅費和折扣\n",
    "2320ad70bae2ad71b3e6aabac160bbf9a141a55dac41b57cb64fa94da7e9a6a90a",
  ],
  ["Shift JIS", "# 注文の合計を計算する\n", "2320928d95b682cc8d878c7682f08c768e5a82b782e90a"],
  [
    "EUC-JP",
    "# 税金と割引を含む価格を計算する\n",
    "2320c0c7b6e2a4c8b3e4b0faa4f2b4dea4e0b2c1b3caa4f2b7d7bbbba4b9a4eb0a",
  ],
  ["EUC-KR", "# 주문의 총액을 계산한다\n", "2320c1d6b9aec0c720c3d1bed7c0bb20b0e8bbeac7d1b4d90a"],
  ["Latin-1, one letter", "# Größe\n", "23204772f6df650a"],
  [
    "Latin-1",
    "# Calcule le prix de la commande, avec les remises prévues à l'été\n",
    "232043616c63756c65206c652070726978206465206c6120636f6d6d616e64652c2061766563206c65732072656d69736573207072e97675657320e0206c27e974e90a",
  ],
  [
    "Windows-1252",
    "// “quoted” – it’s the café’s price in €\n",
    "2f2f209371756f74656494209620697492732074686520636166e9927320707269636520696e20800a",
  ],
  [
    "Windows-1251",
    "# Вычисляет сумму заказа, включая налоги\n",
    "2320c2fbf7e8f1ebffe5f220f1f3ececf320e7e0eae0e7e02c20e2eaebfef7e0ff20ede0ebeee3e80a",
  ],
  [
    "KOI8-R",
    "# Вычисляет сумму заказа, включая налоги\n",
    "2320f7d9dec9d3ccd1c5d420d3d5cdcdd520dac1cbc1dac12c20d7cbccc0dec1d120cec1cccfc7c90a",
  ],
  [
    "ISO-8859-2",
    "# Oblicza łączną cenę zamówienia, włącznie z podatkami i zniżkami\n",
    "23204f626c69637a6120b3b1637a6eb12063656eea207a616df37769656e69612c2077b3b1637a6e6965207a20706f6461746b616d692069207a6e69bf6b616d690a",
  ],
  [
    "Windows-1253",
    "# Υπολογίζει το σύνολο της παραγγελίας\n",
    "2320d5f0efebefe3dfe6e5e920f4ef20f3fdedefebef20f4e7f220f0e1f1e1e3e3e5ebdfe1f20a",
  ],
  [
    "Windows-1256",
    "# يحسب مجموع الطلب بما في ذلك الضرائب\n",
    "2320edcdd3c820e3cce3e6da20c7e1d8e1c820c8e3c720dded20d0e1df20c7e1d6d1c7c6c80a",
  ],
];
for (const [label, expected, hex] of guessed)
  test(`${label} is found by its bytes: ${expected.trim()}`, () =>
    assert.equal(
      decodeText(
        Buffer.from(
          `def f():\n    return 1\n${Buffer.from(hex, "hex").toString("latin1")}`,
          "latin1",
        ),
      ),
      `def f():\n    return 1\n${expected}`,
    ));

const named: [name: string, text: string, hex: string][] = [
  ["gbk", "# 总价\n", "2320d7dcbcdb0a"],
  ["cp950", "# 總價\n", "2320c160bbf90a"],
  ["shiftjis", "# 合計\n", "23208d878c760a"],
  ["eucjp", "# 合計\n", "2320b9e7b7d70a"],
  ["euckr", "# 총액\n", "2320c3d1bed70a"],
  ["koi8r", "# да\n", "2320c4c10a"],
  ["windows1251", "# да\n", "2320e4e00a"],
  ["macroman", "# Größe\n", "232047729aa7650a"],
  ["cp866", "# да\n", "2320a4a00a"],
  ["windows1250", "# łącz\n", "2320b3b9637a0a"],
];
for (const [name, expected, hex] of named)
  test(`as the editor names it: ${name}`, () =>
    assert.equal(decodeText(Buffer.from(hex, "hex"), name), expected));

test("a mark goes before a name, and a name that nobody knows is none", () => {
  assert.equal(decodeText(Buffer.from("\ufeffö"), "gbk"), "ö");
  assert.equal(decodeText(Buffer.from("ö"), "klingon"), "ö");
});

test("UTF-16 without a mark goes before a name", () =>
  assert.equal(decodeText(Buffer.from("int a = 1;\n", "utf16le"), "windows1252"), "int a = 1;\n"));

const noText: [label: string, bytes: Uint8Array][] = [
  ["a picture", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a])],
  ["a zero in the text", Buffer.from("a\0b\n")],
  ["names of eight bytes with their ends", Buffer.from("abcdefg\0".repeat(64))],
  ["zeros everywhere", new Uint8Array(512)],
  ["a gzip file", new Uint8Array([0x1f, 0x8b, 0x08, 0xfe, 0x41, 0x42, 0x43, 0xe4])],
  ["a zip file", Buffer.from("PK\x03\x04\x14\xe4", "latin1")],
  ["a program of Linux", Buffer.from("\x7fELF\x02\x01\x01\0\0\0\xf0", "latin1")],
  ["32-bit numbers", new Uint8Array(Uint32Array.from({ length: 256 }, (_, at) => at * 7).buffer)],
];
for (const [label, bytes] of noText)
  test(`no text: ${label}`, () => assert.equal(decodeText(bytes), null));

test("a name makes no text of zeros and control characters", () => {
  for (const [, bytes] of noText.slice(1)) assert.equal(decodeText(bytes, "windows1252"), null);
});

test("random bytes are no text", () => {
  for (let length = 64; length <= 4096; length *= 2)
    assert.equal(decodeText(randomBytes(length)), null, `${length}`);
});

test("whatever the corpus holds is read from UTF-16 as well", () => {
  for (const { name, text } of readCorpus())
    for (const bytes of [Buffer.from(text, "utf16le"), be(text)])
      assert.equal(decodeText(bytes), text, name);
});
