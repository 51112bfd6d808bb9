// Whether one absolute path lies within another, and how it is called there.
import platform from "node:path";

/** `..name` is a name like any other; on Windows case says nothing, and drives are apart. */
export function isWithin(
  path: string,
  folder: string,
  { relative, isAbsolute, sep }: typeof platform = platform,
): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** From the folder, with `/` on every system. */
export function pathWithin(folder: string, path: string): string {
  return slashed(platform.relative(folder, path));
}

export function slashed(path: string): string {
  return path.split(platform.sep).join("/");
}
