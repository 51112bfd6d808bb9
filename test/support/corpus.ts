// Real code from the folders of test/golden: what each is made of stands in its README.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface CorpusFile {
  /** The name of its folder, as `typescript`. */
  readonly language: string;
  /** The name the file had in its package, as `util.ts`. */
  readonly name: string;
  readonly text: string;
}

/** `corpus` is twelve languages; `grammar-corpus` adds those whose grammar is shipped beside. */
export type CorpusName = "corpus" | "grammar-corpus";

/** Every file, in the order of languages and names. */
export function readCorpus(name: CorpusName = "corpus"): CorpusFile[] {
  const folder = join("test/golden", name);
  return subfolders(folder).flatMap((language) =>
    readdirSync(join(folder, language))
      .filter((name) => name.endsWith(".txt"))
      .sort()
      .map((name) => ({
        language,
        name: name.slice(0, -".txt".length),
        text: readFileSync(join(folder, language, name), "utf8"),
      })),
  );
}

function subfolders(parent: string): string[] {
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
