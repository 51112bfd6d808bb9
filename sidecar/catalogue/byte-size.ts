/** A byte count for people, in decimal units as disks are sold: `491 MB`. */
export function formatByteSize(byteLength: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = byteLength;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
