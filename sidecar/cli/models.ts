// `pith models`: the model manager. Results go to stdout (a table, or JSON), progress to stderr.
// Every action throws on failure; whoever parses the command line turns that into an exit code.
import { Command } from "commander";
import { formatByteSize } from "../catalogue/byte-size.ts";
import { downloadModel } from "../catalogue/download.ts";
import { defaultModelId } from "../catalogue/models.ts";
import {
  addModel,
  deleteModel,
  listModels,
  openStore,
  type StoredModel,
  type VerifiedModel,
  verifyModel,
} from "../catalogue/store.ts";
import { CancelledError, FormatError, UnsupportedError } from "../errors.ts";
import { createProgress, type Progress } from "./progress.ts";

interface CommonOptions {
  json?: boolean;
  home?: string;
}

interface DownloadFlags extends CommonOptions {
  proxy?: string;
  strictSsl: boolean;
}

export function modelsCommand(): Command {
  const command = new Command("models").description("list, fetch, check, delete and add models");
  const verb = (usage: string, description: string): Command =>
    command
      .command(usage)
      .description(description)
      .option("--json", "print the result as JSON")
      .option("--home <folder>", "instead of PITH_HOME or the platform's data folder");
  verb("list", "show the models of the catalogue and the added ones").action(list);
  verb("download", "fetch a model, or go on where an earlier download stopped")
    .argument("[id]", "a model of the catalogue", defaultModelId)
    .option("--proxy <address>", "instead of HTTP_PROXY and HTTPS_PROXY")
    .option("--no-strict-ssl", "admit certificates that do not check out")
    .action(download);
  verb("verify", "read model files again and compare their SHA-256")
    .argument("[ids...]", "models; all that are present when none is named")
    .action(verify);
  verb("delete", "delete a model with its partial and prepared files")
    .argument("<id>", "a model; of an added file only the entry goes")
    .action(remove);
  verb("add", "use a GGUF file where it lies")
    .argument("<file>", "a GGUF file; it is neither copied nor moved")
    .action(add);
  return command;
}

async function list(options: CommonOptions): Promise<void> {
  const models = await listModels(await openStoreFor(options));
  print(options, models, () => models.map(describe).join("\n"));
}

async function download(id: string, options: DownloadFlags): Promise<void> {
  const store = await openStoreFor(options);
  const { proxy } = options;
  const strictSsl = options.strictSsl ? undefined : false;
  const model = await withProgress(`downloading ${id}`, ({ signal, progress }) =>
    downloadModel(store, id, {
      ...{ proxy, strictSsl, signal },
      onProgress: progress.update,
      onNotice: progress.note,
    }),
  );
  print(options, model, () => `${model.id} is at ${model.file}`);
}

async function verify(ids: readonly string[], options: CommonOptions): Promise<void> {
  const store = await openStoreFor(options);
  const present = (await listModels(store)).filter(({ state }) => state === "present");
  const results: VerifiedModel[] = [];
  for (const id of ids.length > 0 ? ids : present.map((model) => model.id)) {
    const result = await withProgress(`reading ${id}`, ({ signal, progress }) =>
      verifyModel(store, id, { signal, onProgress: progress.update }),
    );
    if (!result) throw new UnsupportedError(`model ${id}: is not on this disk; download it first`);
    results.push(result);
  }
  const line = ({ id, isValid, file, sha256, expected }: VerifiedModel): string =>
    isValid ? `${id}: good, ${file}` : `${id}: BAD, ${file} has ${sha256} instead of ${expected}`;
  print(options, results, () => results.map(line).join("\n") || "no model is present");
  const bad = results.filter(({ isValid }) => !isValid).map(({ id }) => id);
  if (bad.length > 0)
    throw new FormatError(`models verify: wrong SHA-256 of ${bad.join(", ")}; delete and download`);
}

async function remove(id: string, options: CommonOptions): Promise<void> {
  await deleteModel(await openStoreFor(options), id);
  print(options, { id, deleted: true }, () => `${id} is deleted`);
}

async function add(file: string, options: CommonOptions): Promise<void> {
  const store = await openStoreFor(options);
  const model = await withProgress(`reading ${file}`, ({ signal, progress }) =>
    addModel(store, file, { signal, onProgress: progress.update }),
  );
  print(options, model, () => `${model.id} is ${model.file}`);
}

function openStoreFor({ home }: CommonOptions): ReturnType<typeof openStore> {
  return openStore(home === undefined ? {} : { folder: home });
}

/** Ctrl-C cancels what runs, and what it has fetched so far stays for the next time. */
async function withProgress<T>(
  label: string,
  work: (context: { signal: AbortSignal; progress: Progress }) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  const progress = createProgress(label, formatByteSize);
  // Not `once`: npx passes on the signal that the terminal has sent to all, and the second one must
  // not end the process in the middle of the first one's cancel.
  process.on("SIGINT", cancel).on("SIGTERM", cancel);
  try {
    return await work({ signal: controller.signal, progress });
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    throw new CancelledError(`${label}: cancelled; run it again to go on`, {
      cause: error,
    });
  } finally {
    progress.stop();
    process.off("SIGINT", cancel).off("SIGTERM", cancel);
  }
}

function print(options: CommonOptions, value: unknown, words: () => string): void {
  process.stdout.write(`${options.json ? JSON.stringify(value) : words()}\n`);
}

function describe(model: StoredModel): string {
  const { id, byteLength, state, licence, file, storedByteLength } = model;
  const percent = Math.floor((storedByteLength / byteLength) * 100);
  const states = { present: "present", absent: "absent", partial: `partial ${percent} %` };
  const columns = [id.padEnd(24), formatByteSize(byteLength).padStart(8), states[state].padEnd(12)];
  return [...columns, licence.padEnd(12), file].join("  ");
}
