import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { downloadModel } from "../../sidecar/catalogue/download.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { setEnvironment } from "./environment.ts";
import { listen, startPublisher } from "./publisher.ts";
import { modelBytes, scratchStore } from "./scratch-store.ts";

const quick = { mirrorsFile: "", backoffMs: 1 };

/** A proxy that tunnels (CONNECT) and counts; with `password` it wants to be given one. */
async function startProxy(
  context: TestContext,
  password?: string,
): Promise<{ address: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connect", (request, socket) => {
    const given = request.headers["proxy-authorization"];
    const wanted = password && `Basic ${Buffer.from(`user:${password}`).toString("base64")}`;
    if (wanted && given !== wanted) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    tunnels.push(request.url ?? "");
    const [host = "", port] = (request.url ?? "").split(":");
    const target = connect(Number(port), host === "far.invalid" ? "127.0.0.1" : host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    for (const each of [target, socket]) each.on("error", () => target.destroy());
  });
  const { port, close } = await listen(server);
  context.after(close);
  return { address: `http://127.0.0.1:${port}`, tunnels };
}

/** The proxies of the environment as the test wants them. */
function setProxies(context: TestContext, values: Record<string, string>): void {
  const names = ["http_proxy", "https_proxy", "no_proxy"];
  const none = names.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, null]);
  setEnvironment(context, { ...Object.fromEntries(none), ...values });
}

/** Downloads from a host that only the proxy can resolve. */
async function checkTunnelled(
  context: TestContext,
  way: { proxy?: string; environment?: Record<string, string> },
  tunnels: readonly string[],
): Promise<void> {
  const publisher = await startPublisher(modelBytes);
  context.after(publisher.close);
  setProxies(context, way.environment ?? {});
  const host = `far.invalid:${publisher.port}`;
  const store = await scratchStore(context, { url: `http://${host}/model.gguf` });
  await downloadModel(store, "small", { ...quick, proxy: way.proxy });
  assert.deepEqual([...tunnels], [host]);
}

test("HTTP_PROXY of the environment is used", async (context) => {
  const { address, tunnels } = await startProxy(context);
  await checkTunnelled(context, { environment: { HTTP_PROXY: address } }, tunnels);
});

test("a proxy without a scheme is an HTTP proxy", async (context) => {
  const { address, tunnels } = await startProxy(context);
  const environment = { HTTP_PROXY: address.replace("http://", "") };
  await checkTunnelled(context, { environment }, tunnels);
});

test("the proxy of the settings goes before the environment's", async (context) => {
  const { address, tunnels } = await startProxy(context);
  const way = { proxy: address, environment: { HTTP_PROXY: "http://127.0.0.1:1" } };
  await checkTunnelled(context, way, tunnels);
});

test("a proxy takes the password of its address", async (context) => {
  const { address, tunnels } = await startProxy(context, "pass");
  await checkTunnelled(context, { proxy: address.replace("//", "//user:pass@") }, tunnels);
});

test("a proxy that refuses is named as the reason", async (context) => {
  const { address } = await startProxy(context, "pass");
  setProxies(context, {});
  const store = await scratchStore(context, { url: "http://far.invalid/model.gguf" });
  const download = downloadModel(store, "small", { ...quick, proxy: address });
  await assert.rejects(download, /far\.invalid: refused on the way .*407/);
});

test("a host in NO_PROXY is reached without the proxy", async (context) => {
  const { address, tunnels } = await startProxy(context);
  const publisher = await startPublisher(modelBytes);
  context.after(publisher.close);
  setProxies(context, { HTTP_PROXY: address, NO_PROXY: "127.0.0.1" });
  const store = await scratchStore(context, { url: publisher.url });
  await downloadModel(store, "small", quick);
  assert.equal(publisher.requests.length, 1);
  assert.deepEqual(tunnels, []);
});

test("a certificate that does not check out is refused at once, unless it is admitted", async (context) => {
  setProxies(context, {});
  let requestCount = 0;
  const server = createTlsServer(selfSignedCertificate(), (_, response) => {
    requestCount++;
    response.end(modelBytes);
  });
  const { port, close } = await listen(server);
  context.after(close);
  const store = await scratchStore(context, { url: `https://127.0.0.1:${port}/model.gguf` });
  await assert.rejects(downloadModel(store, "small", quick), /its certificate does not check out/);
  assert.equal(requestCount, 0);
  await downloadModel(store, "small", { ...quick, strictSsl: false });
  assert.equal(requestCount, 1);
});

test("a proxy that never opens the tunnel is given up after the time for connecting", async (context) => {
  setProxies(context, {});
  const server = createServer().on("connect", () => {});
  const { port, close } = await listen(server);
  context.after(close);
  const store = await scratchStore(context, { url: "http://far.invalid/model.gguf" });
  const started = performance.now();
  const proxy = `http://127.0.0.1:${port}`;
  const download = downloadModel(store, "small", { ...quick, proxy, connectTimeoutMs: 500 });
  await assert.rejects(download, /far\.invalid: it did not answer in time/);
  // Two tries; undici's timers are coarse, but its own limit would be five minutes.
  assert.ok(performance.now() - started < 20_000);
});
