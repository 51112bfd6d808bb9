// What VS Code calls to run tests in its extension host: gives mocha the suites beside this file.
// The outcome goes to the file that PITH_TEST_REPORT names, since the host's own output is noisy.
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export async function run(): Promise<void> {
  // An ES module, while the host calls require() on this one.
  const { default: Mocha } = await import("mocha");
  const mocha = new Mocha({ ui: "tdd", timeout: 100_000 });
  const files = readdirSync(__dirname).filter((name) => name.endsWith(".suite.cjs"));
  for (const file of files) mocha.addFile(join(__dirname, file));
  const failures = await new Promise<number>((done) => {
    const runner = mocha.run(done);
    runner.on("pass", ({ title }) => report(`ok ${title}`));
    runner.on("fail", ({ title }, error) => report(`not ok ${title}\n${error.stack ?? error}`));
  });
  if (failures > 0) throw new Error(`${failures} failed`);
}

function report(line: string): void {
  const { PITH_TEST_REPORT: file } = process.env;
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}
