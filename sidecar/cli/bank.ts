// `pith bank`: what memories are on the disk, by the places they are of. No model is needed.
import { Command } from "commander";
import { Bank, type BankEntry } from "../bank/bank.ts";
import { formatByteSize } from "../catalogue/byte-size.ts";
import { openHome } from "../catalogue/home.ts";
import { defaults } from "../completion/defaults.ts";
import { UnsupportedError } from "../errors.ts";

interface BankFlags {
  readonly home?: string;
  readonly json?: boolean;
}

export function bankCommand(): Command {
  const command = new Command("bank").description("look at the bank of memories, or empty it");
  const verb = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option("--json", "print the result as JSON")
      .option("--home <folder>", "instead of PITH_HOME or the platform's data folder");
  verb("list", "show all memories, those used last first").action(list);
  verb("show", "show one memory")
    .argument("<key>", "as `pith bank list` shows it, or the beginning of it")
    .action(show);
  verb("purge", "delete every memory").action(purge);
  return command;
}

async function list(flags: BankFlags): Promise<void> {
  await withBank(flags, async (bank) => {
    const entries = await bank.list();
    const total = `${entries.length} memories, ${formatByteSize(await bank.byteLength())}`;
    print(flags, entries, [...entries.map(lineOf), total].join("\n"));
  });
}

/** @throws UnsupportedError when no key begins so, or several do */
async function show(start: string, flags: BankFlags): Promise<void> {
  await withBank(flags, async (bank) => {
    const found = (await bank.list()).filter(({ key }) => key.startsWith(start));
    const [entry] = found;
    if (entry === undefined || found.length > 1)
      throw new UnsupportedError(`bank: ${found.length} memories have a key that begins ${start}`);
    const header = (await bank.get(entry.key))?.header ?? {};
    const facts = { ...entry, lastUse: new Date(entry.lastUse).toISOString(), ...header };
    const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}`);
    print(flags, facts, lines.join("\n"));
  });
}

async function purge(flags: BankFlags): Promise<void> {
  await withBank(flags, async (bank) => {
    const memories = (await bank.list()).length;
    await bank.purge();
    print(flags, { memories }, `${memories} memories deleted`);
  });
}

async function withBank(flags: BankFlags, work: (bank: Bank) => Promise<void>): Promise<void> {
  const home = await openHome(flags.home);
  const bank = await Bank.open(home.bank, {
    cap: defaults.memory.bankBytes,
    onDamage: (error) => process.stderr.write(`pith: ${error.message}\n`),
  });
  try {
    await work(bank);
  } finally {
    await bank.close();
  }
}

function lineOf({ key, path, startLine, endLine, byteLength }: BankEntry): string {
  return `${key.slice(0, 12)}  ${formatByteSize(byteLength)}  ${path}:${startLine + 1}-${endLine}`;
}

function print(flags: BankFlags, value: unknown, text: string): void {
  process.stdout.write(`${flags.json ? JSON.stringify(value) : text}\n`);
}
