// The product's ranking of spans, by what each ranking in it is for.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  countDefinitions,
  definitionScore,
  weighNames,
} from "../../sidecar/selection/definitions.ts";
import { type IndexedSpan, SpanIndex, type SpanQuery } from "../../sidecar/selection/span-index.ts";

const spans = {
  price: span(
    "shop/price.ts",
    "export function priceOf(item) { return item.cents / 100; }",
    "priceOf",
  ),
  tax: span(
    "shop/tax.ts",
    "export function taxOf(cents, country) { return rates[country]; }",
    "taxOf",
  ),
  rates: span("shop/rates.ts", "const rates = { de: 0.19, fr: 0.2 };", "rates"),
  mail: span(
    "mail/send.ts",
    "export function sendMail(address, text) { smtp.write(text); }",
    "sendMail",
  ),
  body: span(
    "mail/send.ts",
    "  retries.push(address); smtp.write(text); // address of the text",
    "",
  ),
  own: span("shop/cart.ts", "function total(items) { return items.map(priceOf); }", "total"),
} satisfies Record<string, IndexedSpan>;
const empty: SpanQuery = {
  path: "shop/cart.ts",
  before: "",
  after: "",
  importedNames: [],
  importedPaths: [],
};

const cases: [label: string, query: Partial<SpanQuery>, first: keyof typeof spans, why: string][] =
  [
    [
      "a name in use leads to its definition",
      { before: "const cents = priceOf(" },
      "price",
      "named",
    ],
    ["a name behind the cursor too", { after: "return taxOf(cents);" }, "tax", "named"],
    [
      "an imported name leads to its definition",
      { importedNames: ["sendMail"] },
      "mail",
      "imported",
    ],
    ["shared words count", { before: "retries =" }, "body", "alike"],
    ["words of the path count", { before: "const shippingRates =" }, "rates", "alike"],
  ];
for (const [label, query, first, why] of cases) {
  test(label, () => {
    const [best] = indexOf(spans).rank({ ...empty, ...query });
    assert.equal(best?.span, spans[first]);
    assert(best?.places[why] === 0, JSON.stringify(best?.places));
  });
}

test("the nearer of two names leads", () => {
  const before = `taxOf(); ${"other1 other2 other3 ".repeat(3)} priceOf()`;
  assert.equal(indexOf(spans).rank({ ...empty, before })[0]?.span, spans.price);
});

test("spans of imported files come first among the alike", () => {
  const query = { ...empty, before: "address text" };
  assert.equal(indexOf(spans).rank(query)[0]?.span.path, "mail/send.ts");
  const found = indexOf(spans).rank({
    ...query,
    before: "cents address",
    importedPaths: ["shop/tax.ts"],
  });
  assert.equal(found[0]?.span, spans.tax);
});

test("the file's own spans are not ranked, nor what no ranking knows", () => {
  const found = indexOf(spans).rank({ ...empty, before: "total(priceOf)" });
  assert(found.length > 0 && !found.some((each) => each.span === spans.own));
  assert.deepEqual(indexOf(spans).rank(empty), []);
});

test("a further ranking is fused, and named as a reason", () => {
  const index = indexOf(spans);
  const { mail, tax } = spans;
  const found = index.rank(empty, { cosine: [mail, tax, span("gone.ts", "", "")] });
  assert.deepEqual(
    found.map((each) => [each.span, each.places]),
    [
      [mail, { cosine: 0 }],
      [tax, { cosine: 1 }],
    ],
  );
});

test("a file's spans are replaced and removed as a whole", () => {
  const index = indexOf(spans);
  const query = { ...empty, before: "sendMail(address" };
  const fresh = span("mail/send.ts", "export const post = (letter) => box.put(letter);", "post");
  index.setFile("mail/send.ts", [fresh]);
  assert(!index.rank(query).some((each) => each.span === spans.mail || each.span === spans.body));
  assert.equal(index.rank({ ...empty, before: "post(" })[0]?.span, fresh);
  index.setFile("mail/send.ts", []);
  assert.deepEqual(index.rank({ ...empty, before: "post(" }), []);
  assert.equal(index.spans.length, 4);
});

test("names weigh less with every different name in between, and less behind the cursor", () => {
  const weights = weighNames("far far near", "behind");
  assert.equal(weights.get("near"), 1);
  assert.equal(weights.get("far"), 2 ** (-1 / 16));
  assert.equal(weights.get("behind"), 0.5);
});

test("a name that two spans define counts half for each", () => {
  const counts = countDefinitions([["one", "one", "two"], ["two"]]);
  const weights = new Map([
    ["one", 1],
    ["two", 1],
  ]);
  assert.equal(definitionScore(["one"], weights, counts), 1);
  assert.equal(definitionScore(["two", "three"], weights, counts), 0.5);
});

function span(path: string, text: string, defines: string): IndexedSpan {
  return { path, text, defines: defines === "" ? [] : [defines] };
}

function indexOf(all: Readonly<Record<string, IndexedSpan>>): SpanIndex<IndexedSpan> {
  const index = new SpanIndex<IndexedSpan>();
  const list = Object.values(all);
  for (const path of new Set(list.map((each) => each.path)))
    index.setFile(
      path,
      list.filter((each) => each.path === path),
    );
  return index;
}
