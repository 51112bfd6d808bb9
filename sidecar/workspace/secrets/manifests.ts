// Kubernetes manifests of the kind Secret, in YAML or JSON. In: a text. Out: every value of theirs.
import type { Found } from "./found.ts";
import { isKnownPassword, isPlaceholder } from "./placeholder.ts";

const kinds = /^[ \t]*["']?kind["']?:[ \t]*["']?Secret["']?[ \t]*,?\r?$/gm;
const dataLine = /^([ \t]*)["']?(?:data|stringData)["']?:[ \t]*\{?[ \t]*\r?$/;
const entryLine = /^([ \t]+)["']?[\w.-]{1,200}["']?:[ \t]*["']?([^\s"',#]{4,})/;

export function* findInManifests(text: string): Generator<Found> {
  let done = 0; // Of documents, which `---` parts.
  for (const kind of text.matchAll(kinds)) {
    if (kind.index < done) continue;
    const start = text.lastIndexOf("\n---", kind.index) + 1;
    const next = text.indexOf("\n---", kind.index);
    done = next < 0 ? text.length : next;
    yield* findInData(text.slice(start, done), start);
  }
}

function* findInData(document: string, offset: number): Generator<Found> {
  let indent = -1; // Of the key above the values; below 0 outside of them.
  let at = offset;
  for (const line of document.split("\n")) {
    const depth = line.search(/\S/);
    if (depth >= 0 && depth <= indent) indent = -1;
    const entry = indent < 0 ? null : entryLine.exec(line);
    if (entry !== null && isSecret(entry[2] ?? "")) yield { start: at, end: at + line.length };
    if (indent < 0 && dataLine.test(line)) indent = depth;
    at += line.length + 1;
  }
}

/** In base64 or as it is. */
function isSecret(value: string): boolean {
  const text = Buffer.from(value, "base64").toString("latin1");
  const plain = /^[ -~\n]+$/.test(text) ? text.trim() : value;
  return !isPlaceholder(value) && !isKnownPassword(plain);
}
