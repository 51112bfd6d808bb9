import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import { test } from "node:test";
import { isWithin } from "../../sidecar/workspace/is-within.ts";

const places: [path: string, folder: string, is: boolean, platform: typeof posix][] = [
  ["/a/b/c.ts", "/a/b", true, posix],
  ["/a/b", "/a/b", true, posix],
  ["/a/b/", "/a/b", true, posix],
  ["/a/b/c.ts", "/a/b/", true, posix],
  ["/a/b/c.ts", "/", true, posix],
  ["/", "/", true, posix],
  ["/a/bc.ts", "/a/b", false, posix],
  ["/a", "/a/b", false, posix],
  ["/c/b", "/a/b", false, posix],
  ["/a/b/../c.ts", "/a/b", false, posix],
  ["/a/..b/c.ts", "/a", true, posix],
  ["/a/...", "/a", true, posix],
  ["/..b", "/a", false, posix],
  ["/A/b/c.ts", "/a/b", false, posix],
  ["/a/..\\c.ts", "/a", true, posix],
  ["C:\\a\\b.ts", "C:\\a", true, win32],
  ["c:\\A\\b.ts", "C:\\a", true, win32],
  ["C:/a/b.ts", "C:\\a", true, win32],
  ["C:\\a\\b.ts", "C:\\", true, win32],
  ["C:\\", "C:\\", true, win32],
  ["D:\\a\\b.ts", "C:\\", false, win32],
  ["D:\\a\\b.ts", "C:\\a", false, win32],
  ["C:\\ab.ts", "C:\\a", false, win32],
  ["C:\\a\\..b\\c.ts", "C:\\a", true, win32],
  ["\\\\host\\share\\a\\b.ts", "\\\\host\\share\\a", true, win32],
  ["\\\\host\\other\\a\\b.ts", "\\\\host\\share\\a", false, win32],
];
for (const [path, folder, is, platform] of places) {
  test(`${path} is ${is ? "" : "not "}within ${folder}`, () =>
    assert.equal(isWithin(path, folder, platform), is));
}
