// `pith tokens FILE`: how many tokens a file has for a model, and where one ends and the next begins.
import { Command } from "commander";
import { splitTokens } from "../thread-client.ts";
import { readBytesArgument } from "./file-argument.ts";
import { addModelFlags, type ModelFlags, withModel } from "./open-model.ts";

interface TokensFlags extends ModelFlags {
  readonly json?: boolean;
  readonly count?: boolean;
}

export function tokensCommand(entry: URL): Command {
  return addModelFlags(new Command("tokens"))
    .description("count the tokens of a file and show where they split")
    .argument("<file>", "any bytes")
    .option("--count", "the counts alone")
    .option("--json", "print counts, ids and pieces (base64) as JSON")
    .action((file: string, flags: TokensFlags) => printTokens(file, flags, entry));
}

async function printTokens(file: string, flags: TokensFlags, entry: URL): Promise<void> {
  const bytes = await readBytesArgument(file);
  const { split, model } = await withModel(entry, flags, async ({ thread, facts }) => ({
    split: await thread.ask(splitTokens, { text: bytes }),
    model: facts.id,
  }));
  const { ids, pieces, unencodable } = split;
  const counts = { file, model, bytes: bytes.byteLength, tokens: ids.length, unencodable };
  if (flags.json) {
    const encoded = pieces.map((piece) => Buffer.from(piece).toString("base64"));
    const splits = flags.count ? {} : { ids, pieces: encoded };
    process.stdout.write(`${JSON.stringify({ ...counts, ...splits })}\n`);
    return;
  }
  const rows = flags.count ? [] : ids.map((id, index) => describePiece(id, pieces[index]));
  process.stdout.write(`${[describeCounts(counts), ...rows].join("\n")}\n`);
}

function describeCounts(counts: {
  file: string;
  model: string;
  bytes: number;
  tokens: number;
  unencodable: number;
}): string {
  const { file, model, bytes, tokens, unencodable } = counts;
  const ratio = tokens === 0 ? "" : `, ${(bytes / tokens).toFixed(2)} bytes a token`;
  const lost = unencodable === 0 ? "" : `, ${unencodable} bytes that the model has no token for`;
  return `${file}: ${tokens} tokens of ${model}, ${bytes} bytes${ratio}${lost}`;
}

/** `  12345  "text"`; a piece that is no text on its own shows as its bytes: `<e2 82>`. */
function describePiece(id: number, piece: Uint8Array | undefined): string {
  const bytes = Buffer.from(piece ?? []);
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text, "utf8").equals(bytes);
  const shown = isText
    ? JSON.stringify(text)
    : `<${bytes.toString("hex").replace(/(..)(?=.)/g, "$1 ")}>`;
  return `${String(id).padStart(8)}  ${shown}`;
}
