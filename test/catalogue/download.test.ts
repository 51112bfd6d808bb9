import assert from "node:assert/strict";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CatalogueError } from "../../sidecar/catalogue/catalogue-error.ts";
import { type DownloadOptions, downloadModel } from "../../sidecar/catalogue/download.ts";
import { locateModel, type Store, verifyModel } from "../../sidecar/catalogue/store.ts";
import { CancelledError, FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { type Behaviour, type Publisher, startPublisher } from "./publisher.ts";
import { modelBytes, modelFiles, scratchStore } from "./scratch-store.ts";

const half = modelBytes.length / 2;
const quick: DownloadOptions = { mirrorsFile: "", backoffMs: 1, stallTimeoutMs: 1_000 };

/** A publisher with a behaviour per request, and a store whose one model is there. */
async function stage(
  context: TestContext,
  behaviours: readonly Behaviour[] = [],
  bytes: Uint8Array = modelBytes,
): Promise<{ store: Store; publisher: Publisher }> {
  const publisher = await startPublisher(bytes, (index) => behaviours[index] ?? {});
  context.after(publisher.close);
  return { store: await scratchStore(context, { url: publisher.url }), publisher };
}

/** The whole file lies under its name and nothing else does. */
async function checkPresent(store: Store): Promise<void> {
  assert.deepEqual(await modelFiles(store), ["small.gguf"]);
  const bytes = await readFile(join(store.home.models, "small.gguf"));
  assert.ok(bytes.equals(modelBytes), "the file holds the publisher's bytes");
}

const requestedRanges = ({ requests }: Publisher) => requests.map(({ range }) => range ?? "all");

test("a download ends under its name, with progress up to the last byte", async (context) => {
  const { store, publisher } = await stage(context);
  const seen: [number, number][] = [];
  const model = await downloadModel(store, "small", {
    ...quick,
    onProgress: (bytes, total) => seen.push([bytes, total]),
  });
  await checkPresent(store);
  assert.equal(model.file, join(store.home.models, "small.gguf"));
  assert.equal(publisher.requests.length, 1);
  assert.deepEqual(seen.at(-1), [modelBytes.length, modelBytes.length]);
  assert.ok(
    seen.every(([bytes], index) => bytes >= (seen[index - 1]?.[0] ?? 0)),
    "progress never goes back",
  );
});

test("a connection that is cut goes on at the byte where it ended", async (context) => {
  const { store, publisher } = await stage(context, [{ cutAfter: half }, { cutAfter: half / 2 }]);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  const [first, ...others] = requestedRanges(publisher);
  assert.equal(first, "all");
  assert.ok(others.length >= 1 && others.every((range) => /^bytes=[1-9]\d*-$/.test(range)));
  assert.ok(publisher.sentByteLength < modelBytes.length * 1.5, "little was sent twice");
});

test("a connection that falls silent counts as cut", async (context) => {
  const { store, publisher } = await stage(context, [{ stallAfter: half }]);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.deepEqual(requestedRanges(publisher), ["all", `bytes=${half}-`]);
});

test("a cancelled download keeps its partial file, and the next one goes on with it", async (context) => {
  const { store, publisher } = await stage(context, [{ pieceDelayMs: 5 }]);
  const controller = new AbortController();
  const cancelled = downloadModel(store, "small", {
    ...quick,
    signal: controller.signal,
    onProgress: (bytes) => bytes > half / 2 && controller.abort(),
  });
  await assert.rejects(cancelled, CancelledError);
  assert.deepEqual(await modelFiles(store), ["small.gguf.partial", "small.gguf.partial.json"]);
  assert.equal(await locateModel(store, "small"), null);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.match(publisher.requests[1]?.range ?? "", /^bytes=[1-9]/);
  assert.equal(publisher.requests[1]?.ifRange, '"one"');
});

test("wrong bytes are deleted, and the message says so", async (context) => {
  const wrong = modelBytes.slice();
  wrong[half] = (wrong[half] ?? 0) ^ 1;
  const { store } = await stage(context, [], wrong);
  await assert.rejects(downloadModel(store, "small", quick), (error: Error) => {
    assert.ok(error instanceof FormatError);
    assert.match(error.message, /SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}; it was deleted/);
    return true;
  });
  assert.deepEqual(await modelFiles(store), []);
});

// Either the same answer brings the whole file, or a third request asks for it.
const restarts: [string, Behaviour, string[]][] = [
  ["a server that knows no ranges", { ignoresRange: true }, []],
  ["a server with a newer version", { etag: '"two"' }, []],
  ["a server that mixes two versions", { etag: '"two"', ignoresIfRange: true }, ["all"]],
  ["a server that refuses the range", { status: 416 }, ["all"]],
];
for (const [label, behaviour, third] of restarts)
  test(`${label} makes the download start over`, async (context) => {
    const { store, publisher } = await stage(context, [{ cutAfter: half }, behaviour]);
    await downloadModel(store, "small", quick);
    await checkPresent(store);
    const [first, second, ...others] = requestedRanges(publisher);
    assert.deepEqual([first, ...others], ["all", ...third]);
    assert.match(second ?? "", /^bytes=[1-9]\d*-$/);
  });

test("a partial file longer than the model starts over", async (context) => {
  const { store, publisher } = await stage(context);
  const partial = join(store.home.models, "small.gguf.partial");
  await writeFile(partial, new Uint8Array(modelBytes.length + 1));
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.deepEqual(requestedRanges(publisher), ["all"]);
});

test("a whole partial file needs no request", async (context) => {
  const { store, publisher } = await stage(context);
  await writeFile(join(store.home.models, "small.gguf.partial"), modelBytes);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.equal(publisher.requests.length, 0);
});

test("a server without ETags can be resumed", async (context) => {
  const { store } = await stage(context, [{ cutAfter: half, etag: null }, { etag: null }]);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
});

test("a redirect to another server is followed, with the range", async (context) => {
  const content = await startPublisher(modelBytes, (index) =>
    index === 0 ? { cutAfter: half } : {},
  );
  context.after(content.close);
  const { store, publisher } = await stage(
    context,
    Array.from({ length: 2 }, () => ({ location: content.url })),
  );
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.equal(publisher.requests.length, 2);
  assert.match(content.requests[1]?.range ?? "", /^bytes=[1-9]/);
});

test("a redirect without end is an error", async (context) => {
  const publisher = await startPublisher(modelBytes, (index) => ({ location: `/${index}` }));
  context.after(publisher.close);
  const store = await scratchStore(context, { url: publisher.url });
  await assert.rejects(downloadModel(store, "small", quick), CatalogueError);
  assert.ok(publisher.requests.length < 20, "the chain is bounded");
});

test("a busy server is asked again", async (context) => {
  const { store, publisher } = await stage(context, [{ status: 503 }, { status: 429 }]);
  await downloadModel(store, "small", quick);
  await checkPresent(store);
  assert.equal(publisher.requests.length, 3);
});

test("a server that stays broken is given up after a bounded number of requests", async (context) => {
  const broken = Array.from({ length: 50 }, () => ({ status: 500 }));
  const { store, publisher } = await stage(context, broken);
  await assert.rejects(downloadModel(store, "small", { ...quick, retries: 3 }), /status 500/);
  assert.equal(publisher.requests.length, 4);
});

test("a refusal is not asked again", async (context) => {
  const { store, publisher } = await stage(context, [{ status: 404 }]);
  await assert.rejects(downloadModel(store, "small", quick), /status 404.*pith models add FILE/);
  assert.equal(publisher.requests.length, 1);
});

test("a page in place of the file is refused before it is stored", async (context) => {
  const { store } = await stage(context, [], new TextEncoder().encode("<html>sign in</html>"));
  await assert.rejects(downloadModel(store, "small", quick), (error: Error) => {
    assert.ok(error instanceof FormatError);
    assert.match(error.message, /sends 20 bytes instead of 3145728/);
    return true;
  });
  assert.deepEqual(await modelFiles(store), []);
});

const offline: [string, string, RegExp][] = [
  ["a refused port", "http://127.0.0.1:1/m.gguf", /127\.0\.0\.1:1: the connection was refused/],
  [
    "an unknown name",
    "http://nowhere.invalid/m.gguf",
    /nowhere\.invalid: its name cannot be resolved/,
  ],
];
for (const [label, url, message] of offline)
  test(`${label} names the host and the way round the network`, async (context) => {
    const store = await scratchStore(context, { url });
    await assert.rejects(downloadModel(store, "small", quick), (error: Error) => {
      assert.ok(error instanceof CatalogueError);
      assert.match(error.message, message);
      assert.ok(
        error.message.includes(
          `fetch ${url} elsewhere and take that file: in an editor by Use a Local Model File`,
        ),
      );
      return true;
    });
    assert.deepEqual(await modelFiles(store), []);
  });

test("a model that is present and verified is asked for nowhere", async (context) => {
  const { store, publisher } = await stage(context);
  await downloadModel(store, "small", quick);
  await downloadModel(store, "small", quick);
  assert.equal(publisher.requests.length, 1);
  // Even what is remembered of the checksum may go: the file itself is proof enough.
  await rm(join(store.home.models, "checksums"), { recursive: true });
  await downloadModel(store, "small", quick);
  assert.equal(publisher.requests.length, 1);
});

test("a damaged file is found, refused, and replaced by the next download", async (context) => {
  const { store, publisher } = await stage(context);
  const { file } = await downloadModel(store, "small", quick);
  const damaged = modelBytes.slice();
  damaged[7] = (damaged[7] ?? 0) ^ 1;
  await writeFile(file, damaged);
  await assert.rejects(locateModel(store, "small"), FormatError);
  assert.equal((await verifyModel(store, "small"))?.isValid, false);
  const notices: string[] = [];
  await downloadModel(store, "small", { ...quick, onNotice: (text) => notices.push(text) });
  await checkPresent(store);
  assert.equal(publisher.requests.length, 2);
  assert.match(notices.join(), /small\.gguf is damaged/);
});

test("two downloads at once in one process fetch the file once", async (context) => {
  const { store, publisher } = await stage(context, [{ pieceDelayMs: 1 }]);
  const [first, second] = await Promise.all([
    downloadModel(store, "small", quick),
    downloadModel(store, "small", quick),
  ]);
  assert.deepEqual(first, second);
  assert.equal(publisher.requests.length, 1);
  await checkPresent(store);
});

test("one that waits for another can be cancelled alone", async (context) => {
  const { store } = await stage(context, [{ pieceDelayMs: 5 }]);
  const first = downloadModel(store, "small", quick);
  const waiting = downloadModel(store, "small", { ...quick, signal: AbortSignal.timeout(50) });
  await assert.rejects(waiting, CancelledError);
  await first;
  await checkPresent(store);
});

test("too small a disk is said before anything is asked for", async (context) => {
  const publisher = await startPublisher(modelBytes);
  context.after(publisher.close);
  const store = await scratchStore(context, { url: publisher.url, byteLength: 1e18 });
  await assert.rejects(downloadModel(store, "small", quick), (error: Error) => {
    assert.ok(error instanceof LimitError);
    assert.match(error.message, /needs 1000000 TB, but .* has .* left; make room or set PITH_HOME/);
    return true;
  });
  assert.equal(publisher.requests.length, 0);
});

// Linux has a device that is always full.
if (process.platform === "linux")
  test("a disk that fills up on the way is a LimitError", async (context) => {
    const { store } = await stage(context);
    await symlink("/dev/full", join(store.home.models, "small.gguf.partial"));
    await assert.rejects(downloadModel(store, "small", quick), (error: Error) => {
      assert.ok(error instanceof LimitError);
      assert.match(error.message, /the disk is full \(ENOSPC\)/);
      return true;
    });
  });

test("an unknown id lists the known ones", async (context) => {
  const { store } = await stage(context);
  await assert.rejects(downloadModel(store, "big", quick), (error: Error) => {
    assert.ok(error instanceof UnsupportedError);
    assert.match(error.message, /model big: not known; the catalogue has small/);
    return true;
  });
});
