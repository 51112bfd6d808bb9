// Passwords in places that hold nothing else: addresses, connection strings, headers, logins on a
// command line, manifests. In: a text. Out: where they stand. Here a short password counts too, unless
// everybody knows it.
import { type Found, foundAt } from "./found.ts";
import { isKnownPassword, isPlaceholder } from "./placeholder.ts";
import { randomnessOf } from "./randomness.ts";

/** RFC 3986's userinfo, from the `://` on. */
const logins = /:\/\/([^\s:@/"'`<>]{0,128}):([^\s@/"'`<>]{1,256})@([\w.:%[\]{}$-]{1,255})/g;
const nearHost =
  /^(?:localhost|127\.|0\.0\.0\.0|\[?::1|host\.docker\.internal|(?:[\w-]{1,63}\.){0,8}example\.|[\w.-]{1,99}\.(?:test|example|invalid)\b|db$|host\b)/i;
/** ADO.NET's, ODBC's, libpq's and JDBC's words; what makes a connection of them stands around. */
const connectionPasswords =
  /(?<![A-Za-z0-9])(?:password|pwd|passwd)\s{0,8}=\s{0,8}([^\s;"'`<>]{4,128})(?=[\s;"'`<]|$)/gi;
const isConnection =
  /\b(?:server|data source|host|hostname|user id|user|uid|initial catalog|dbname|endpoint)\s{0,8}=|jdbc:/i;
const around = 400;
const accountKeys =
  /\b(?:AccountKey|SharedAccessKey|SharedSecretValue|AccessKey|SharedAccessSignature|sig)=([\w+/%=-]{30,})/g;
const headers =
  /\bauthorization\b\\*["'`]?[\])]?\s{0,8}[:=,]\s{0,8}\\*["'`]?(basic|bearer|token|bot)\s+([\w+/.~=-]{6,1024})/gi;
const netrc =
  /\b(?:machine\s{1,40}\S{1,100}|default)\s{1,40}login\s{1,40}(\S{1,100})\s{1,40}password\s{1,40}(\S{4,128})/g;
const commandLogins =
  /\s(?:-u|--user|--proxy-user|--login)[ =]["']?([^\s:"']{1,64}):([^\s"']{4,128})|\bsshpass\s+-p\s{0,4}["']?()([^\s"']{4,128})/g;
const isFetch = /\b(?:curl|wget|http|sshpass)\b/;

export function* findInAddresses(text: string): Generator<Found> {
  yield* where(text.matchAll(logins), ([, user, password, host]) => {
    return !isKnownLogin(user ?? "", password ?? "", host ?? "");
  });
  yield* where(text.matchAll(connectionPasswords), ({ index, 1: rest = "" }) => {
    const isQuery = /[?&]/.test(text.charAt(index - 1));
    const password = isQuery ? (rest.split("&", 1)[0] ?? "") : rest;
    return !isKnownPassword(password) && isConnection.test(lineAround(text, index));
  });
  yield* where(text.matchAll(accountKeys), ([, key]) => isDrawn(key ?? ""));
  yield* where(text.matchAll(headers), ([, scheme, value]) => {
    return isCredential(scheme ?? "", value ?? "");
  });
  yield* where(text.matchAll(netrc), ([, user, password]) => {
    return !isKnownPassword(password ?? "", [user ?? ""]);
  });
  yield* where(text.matchAll(commandLogins), ({ index, 1: user, 2: password, 4: only }) => {
    const isKnown = isKnownPassword(password ?? only ?? "", [user ?? ""]);
    return !isKnown && isFetch.test(lineAround(text, index));
  });
}

function* where(
  matches: Iterable<RegExpExecArray>,
  isSecret: (match: RegExpExecArray) => boolean,
): Generator<Found> {
  for (const match of matches) if (isSecret(match)) yield foundAt(match);
}

/** Whether everybody knows it, or it is for a machine that only its owner reaches. */
export function isKnownLogin(user: string, password: string, host: string): boolean {
  if (isKnownPassword(password, [user])) return true;
  return nearHost.test(host) && !isDrawn(password);
}

function isDrawn(value: string): boolean {
  const { strangeness, density } = randomnessOf(value);
  return !isPlaceholder(value) && strangeness >= 0.3 && density >= 0.15;
}

function isCredential(scheme: string, value: string): boolean {
  if (scheme.toLowerCase() !== "basic") return value.length >= 16 && isDrawn(value);
  const [user = "", ...rest] = Buffer.from(value, "base64").toString("latin1").split(":");
  return rest.length > 0 && !isKnownPassword(rest.join(":"), [user]);
}

/** Not more than what a person writes on a line, so that a file on one line takes no longer. */
function lineAround(text: string, at: number): string {
  const before =
    text
      .slice(Math.max(0, at - around), at)
      .split("\n")
      .at(-1) ?? "";
  return before + (text.slice(at, at + around).split("\n", 1)[0] ?? "");
}
