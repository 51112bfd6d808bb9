// The token-budget view's page in a real browser, without an editor around it: what it shows, that its
// content policy holds, and that it can be read by ear, by keyboard and with forced colours.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { budgetHtml } from "../../extension/budget-html.ts";
import { budgetView } from "../../extension/budget-text.ts";
import type { BudgetReport } from "../../sidecar/protocol.ts";
import { startBrowser } from "../editor/session.ts";
import { themes } from "./themes.ts";

const origin = "http://pith.invalid";
const pictures = ".cache/webview-tests";
const report: BudgetReport = {
  uri: "file:///project/src/orders.ts",
  version: 9,
  time: Date.UTC(2026, 10, 25, 9, 30),
  reason: null,
  shown: 31,
  window: 4096,
  sources: [
    { kind: "sink", before: 4, after: 4 },
    {
      kind: "memory",
      place: { kind: "span", path: "src/repositories/users.ts", startLine: 9, endLine: 48 },
      before: 1212,
      after: 101,
    },
    {
      kind: "memory",
      place: { kind: "span", path: "src/orders/order.ts", startLine: 0, endLine: 90 },
      before: 1830,
      after: 305,
    },
    { kind: "header", before: 6, after: 6 },
    { kind: "prefix", before: 498, after: 496 },
    { kind: "suffix", before: 128, after: 128 },
    { kind: "markers", before: 3, after: 3 },
    { kind: "reserve", before: 0, after: 160 },
  ],
  generated: 12,
  computed: 22,
  reused: 1021,
  stages: [
    { kind: "wait", ms: 3 },
    { kind: "plan", ms: 2 },
    { kind: "prefill", ms: 61 },
    { kind: "decode", ms: 88 },
  ],
  dropped: [{ kind: "prefix", characters: 18_204, why: "window" }],
  alignment: { way: "exact", keptTokens: 496, tail: "findOr", ids: [1, 2] },
};
const memories = { enable: true, budget: 512, form: "kept" as const };
const manySources: BudgetReport["sources"] = report.sources.flatMap((source) =>
  source.kind === "memory"
    ? Array.from({ length: 16 }, () => ({ ...source, after: 16 }))
    : [source],
);
const history = [
  report,
  { ...report, time: report.time - 4000, reason: "low-confidence" as const },
  { ...report, time: report.time - 9000, reason: "superseded" as const },
];
let browser: Browser;
let page: Page;
const complaints: string[] = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await startBrowser();
  page = await openPage();
});
after(() => browser.close());

test("the page asks for what to show, and shows it", async () => {
  assert.deepEqual(await page.evaluate("messages"), [{ kind: "ready" }]);
  await show(report);
  assert.equal(await page.locator(".outcome").textContent(), viewOf(report).outcome.sentence);
  assert.equal(await page.locator("section").first().locator("li").count(), 9);
  assert.equal(await page.locator("tbody tr").count(), 3);
});

test("the bars are as long as their shares of the window", async () => {
  const whole = (await page.locator(".whole").first().boundingBox())?.width ?? 0;
  const widths = await page
    .locator(".whole")
    .first()
    .locator("rect")
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute("width"))));
  assert.equal(
    widths.reduce((sum, width) => sum + width, 0),
    4096,
  );
  const prefix = page.locator(".whole rect.prefix").first();
  const width = (await prefix.boundingBox())?.width ?? 0;
  // A stroke of one pixel keeps the shortest bar to be seen.
  assert.ok(Math.abs(width - (496 / 4096) * whole) <= 2, `${width} of ${whole}`);
});

test("a screen reader hears the outcome once it has settled", async () => {
  await show({ ...report, reason: "only-space" });
  await show({ ...report, reason: "end-of-text" });
  const live = page.locator("[role=status][aria-live=polite]");
  assert.equal(await live.textContent(), "");
  await page.waitForTimeout(1300);
  assert.match((await live.textContent()) ?? "", /nothing to add/);
});

test("a completion that was not even begun is its reason and the history alone", async () => {
  await show({ ...report, reason: "disabled", window: 0, sources: [], dropped: [] });
  assert.equal(await page.locator("svg").count(), 0);
  assert.equal(await page.getByRole("slider").count(), 1);
  assert.match((await page.locator(".outcome").textContent()) ?? "", /pith\.enable/);
});

test("32 memories are one row that unfolds by the keyboard and stays so", async () => {
  await show({ ...report, sources: manySources });
  const rows = page.locator("section").first().locator("li:visible");
  assert.equal(await rows.count(), 8);
  await page.locator("li summary").focus();
  await page.keyboard.press("Enter");
  await show({ ...report, reason: "only-space", sources: manySources });
  assert.equal(await rows.count(), 8 + 32);
  assert.equal(await page.locator(".whole").first().locator("rect.memory").count(), 32);
  await page.keyboard.press("Enter");
  assert.equal(await rows.count(), 8);
});

test("the slider has a name and words for its value, and moves by the keyboard", async () => {
  await show(report);
  const slider = page.getByRole("slider", { name: "Budget for memories" });
  assert.equal(await slider.getAttribute("aria-valuetext"), "512 positions");
  await page.evaluate("messages.length = 0");
  await slider.focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
  assert.equal(await slider.getAttribute("aria-valuetext"), "544 positions");
  await show({ ...report, reason: "only-space" });
  assert.equal(await slider.inputValue(), "544", "a view of before does not move it back");
  await page.waitForTimeout(800);
  assert.deepEqual(await page.evaluate("messages"), [{ kind: "budget", positions: 544 }]);
  await page.keyboard.press("End");
  assert.equal(await slider.inputValue(), "3072");
  await page.waitForTimeout(800);
});

test("the slider follows the setting, and one that was not set goes back", async () => {
  const slider = page.getByRole("slider");
  await show(report, 96);
  assert.equal(await slider.inputValue(), "96");
  await slider.press("ArrowRight");
  await page.waitForTimeout(800);
  await show({ ...report, reason: "only-space" }, 96);
  assert.equal(await slider.inputValue(), "96");
  await show(report, 100);
  assert.equal(await slider.getAttribute("aria-valuetext"), "100 positions");
});

for (const [name, colours] of Object.entries(themes)) {
  test(`in ${name} colours axe-core finds nothing serious`, async () => {
    await show(report);
    const colour = `for (const [name, value] of Object.entries(${JSON.stringify(colours)}))
      document.documentElement.style.setProperty(name, value);`;
    await page.evaluate(`${colour} document.body.className = "vscode-${name}"`);
    assert.deepEqual(await seriousFaults(), []);
    await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
    await show({ ...report, sources: manySources });
    await page.locator("li summary").click();
    assert.deepEqual(await seriousFaults(), []);
    await page.screenshot({ path: `${pictures}/${name}-many.png`, fullPage: true });
    await page.locator("li summary").click();
  });
}

test("with forced colours every bar has an edge", async () => {
  await page.emulateMedia({ forcedColors: "active" });
  const edge = await page.evaluate(
    'getComputedStyle(document.querySelector(".whole")).borderTopStyle',
  );
  assert.equal(edge, "solid");
  await page.screenshot({ path: `${pictures}/forced.png`, fullPage: true });
  await page.emulateMedia({ forcedColors: "none" });
});

test("the content policy was kept, and it admits no other program", async () => {
  assert.deepEqual(complaints, []);
  await page.evaluate(`{
    const script = document.createElement("script");
    script.textContent = "globalThis.intruder = true";
    document.body.append(script);
  }`);
  assert.equal(await page.evaluate("globalThis.intruder"), undefined);
  assert.equal(complaints.length, 1);
});

async function openPage(): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 320, height: 900 } });
  opened.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const contents: Record<string, [type: string, body: string | Buffer]> = {
    "/": [
      "text/html",
      budgetHtml({
        language: "en",
        title: "Token Budget",
        program: "/webview.js",
        style: "/webview.css",
        styleSource: origin,
        nonce: "abc",
      }),
    ],
    "/webview.js": ["text/javascript", readFileSync(new URL("../../webview.js", import.meta.url))],
    "/webview.css": ["text/css", readFileSync(new URL("../../webview.css", import.meta.url))],
  };
  await opened.route(`${origin}/**`, (route) => {
    const [contentType, body] = contents[new URL(route.request().url()).pathname] ?? [
      "text/plain",
      "",
    ];
    return route.fulfill({ contentType, body });
  });
  await opened.addInitScript(() => {
    const messages: unknown[] = [];
    const postMessage = (message: unknown) => messages.push(message);
    Object.assign(globalThis, { messages, acquireVsCodeApi: () => ({ postMessage }) });
  });
  await opened.goto(`${origin}/`);
  return opened;
}

function viewOf(last: BudgetReport, budget = memories.budget) {
  const counted = { of: "document" as const, o200k: 2210, cl100k: 2248 };
  return budgetView(
    { last, history, counted, memories: { ...memories, budget } },
    { t: english, locale: "en" },
  );
}

async function show(last: BudgetReport, budget?: number): Promise<void> {
  const message = JSON.stringify({ kind: "show", view: viewOf(last, budget) });
  await page.evaluate(`window.postMessage(${message})`);
  await page.locator(".outcome", { hasText: viewOf(last).outcome.sentence }).waitFor();
}

async function seriousFaults(): Promise<string[]> {
  const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  await page.evaluate(readFileSync(axe, "utf8"));
  const faults: {
    id: string;
    impact: string;
    nodes: { html: string; failureSummary: string }[];
  }[] = await page.evaluate("axe.run().then(({ violations }) => violations)");
  return faults
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
    );
}

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: (string | number)[]): string {
  return message.replaceAll(/\{(\d)\}/g, (mark, index) => `${values[Number(index)] ?? mark}`);
}
