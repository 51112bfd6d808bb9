// Which tokens of a piece are its outline: its first line, which in code names the file or what is
// defined; behind it the lines of the least indentation; and those that the next one is indented
// deeper than, the heads of what is inside. Other places use what these lines name, the lines inside
// they mostly do not. In prose and in lists every line is one of them.

/** A token of the outline matters this many times as much as one inside. */
export const outlineWeight = 2;

/**
 * [tokens] What the importance of each is multiplied with.
 * @param tokens the bytes of each
 */
export function outlineWeights(tokens: readonly Uint8Array[]): Float32Array {
  const lines = readLines(tokens);
  const least = Math.min(...lines.slice(1).map(({ indentation }) => indentation));
  const weights = new Float32Array(tokens.length).fill(1);
  for (const [index, { indentation, tokens: own }] of lines.entries()) {
    const isHead = (lines[index + 1]?.indentation ?? 0) > indentation;
    if (index > 0 && indentation > least && !isHead) continue;
    for (const token of own) weights[token] = outlineWeight;
  }
  return weights;
}

interface Line {
  /** Bytes of white space that it starts with. */
  indentation: number;
  /** Those that have a byte of it that is no white space. */
  readonly tokens: Set<number>;
}

const lineFeed = 10;
const whiteSpace: ReadonlySet<number> = new Set([9, 13, 32]);

/** Those that are not blank. */
function readLines(tokens: readonly Uint8Array[]): Line[] {
  let line: Line = { indentation: 0, tokens: new Set() };
  const lines = [line];
  for (const [token, bytes] of tokens.entries())
    for (const byte of bytes) {
      if (byte === lineFeed) {
        line = { indentation: 0, tokens: new Set() };
        lines.push(line);
      } else if (!whiteSpace.has(byte)) line.tokens.add(token);
      else if (line.tokens.size === 0) line.indentation += 1;
    }
  return lines.filter((each) => each.tokens.size > 0);
}
