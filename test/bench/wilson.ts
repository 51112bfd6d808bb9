/** Wilson's 95 % interval of a share (E. B. Wilson, JASA 22, 1927). */
export function wilson(count: number, total: number): [low: number, high: number] {
  const z = 1.96;
  const share = count / total;
  const middle = share + z ** 2 / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + (z / (2 * total)) ** 2);
  const scale = 1 + z ** 2 / total;
  return [(middle - half) / scale, (middle + half) / scale];
}
