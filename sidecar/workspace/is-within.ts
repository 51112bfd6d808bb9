// Whether one absolute path lies within another.
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
