// How requests leave the machine: proxies, certificates, time limits. In: settings and environment.
// Out: undici dispatchers, and words for what can go wrong on the way.
import { type Dispatcher, EnvHttpProxyAgent, interceptors, Pool } from "undici";

export interface NetworkOptions {
  /** Address of a proxy; goes before HTTP_PROXY and HTTPS_PROXY. NO_PROXY holds for both. */
  proxy?: string | undefined;
  /** False admits certificates that do not check out (VS Code's `http.proxyStrictSSL`). Default true. */
  strictSsl?: boolean | undefined;
  /** Default 10,000; a caller that has other sources to try waits less. */
  connectTimeoutMs?: number | undefined;
  /** How long a connection may be silent before it counts as dropped. Default 30,000. */
  stallTimeoutMs?: number | undefined;
}

/** More than any publisher's chain of content servers needs. */
const maxRedirections = 10;

/** To be closed by the caller; `dispatcher` follows redirects. */
export function createNetwork(options: NetworkOptions): {
  dispatcher: Dispatcher;
  close(): Promise<void>;
} {
  const tls = {
    rejectUnauthorized: options.strictSsl ?? true,
    timeout: options.connectTimeoutMs ?? 10_000,
  };
  const stallTimeoutMs = options.stallTimeoutMs ?? 30_000;
  const agent = new EnvHttpProxyAgent({
    ...proxies(options.proxy),
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
    // undici gives a proxy five minutes for its answer to CONNECT; that is part of connecting.
    clientFactory: (origin, settings) =>
      new Pool(origin, { ...settings, headersTimeout: tls.timeout }),
    headersTimeout: stallTimeoutMs,
    bodyTimeout: stallTimeoutMs,
  });
  return {
    dispatcher: agent.compose(interceptors.redirect({ maxRedirections })),
    close: () => agent.destroy(),
  };
}

/** The code of a failed connection, however deep undici or Node wrapped it. */
export function failureCode(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as NodeJS.ErrnoException;
    if (code) return code;
    if (each instanceof AggregateError) return failureCode(each.errors[0]);
  }
  return "";
}

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "its name cannot be resolved",
  ECONNREFUSED: "the connection was refused",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network",
  ENETDOWN: "there is no network",
  ETIMEDOUT: "it did not answer in time",
  UND_ERR_CONNECT_TIMEOUT: "it did not answer in time",
  UND_ERR_HEADERS_TIMEOUT: "it did not answer in time",
};

/** In words why a host was not reached, or null when the failure is another one. */
export function whyUnreachable(error: unknown): string | null {
  return unreachable[failureCode(error)] ?? null;
}

/** A certificate that does not check out stays so: trying again is no use. */
export function isCertificateFailure(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ERR_TLS|ERR_SSL|HOSTNAME/.test(
    failureCode(error),
  );
}

/** Also from the environment, since undici takes only addresses that name their scheme. */
function proxies(setting: string | undefined): { httpProxy?: string; httpsProxy?: string } {
  const httpProxy = withScheme(setting || proxyFromEnvironment("http_proxy"));
  const httpsProxy = withScheme(setting || proxyFromEnvironment("https_proxy"));
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }) };
}

function proxyFromEnvironment(name: string): string {
  return process.env[name] || process.env[name.toUpperCase()] || "";
}

function withScheme(address: string): string {
  return address === "" || address.includes("://") ? address : `http://${address}`;
}
