// Which tokens of a piece are its outline: lines of the least indentation, which a path's line is one
// of, and heads, that is lines before a deeper one. Other places use what these lines name; the lines
// inside they mostly do not. In prose without indentation every line is outline.

/** A token of the outline matters this many times as much as others: those inside, and white space. */
export const outlineWeight = 2;

/** Names this way of choosing, for what is kept between runs: another way has another name. */
export const outlineRule = `least indentation and heads, ${outlineWeight}`;

/**
 * [tokens] What the importance of each is multiplied with.
 * @param tokens the bytes of each
 */
export function outlineWeights(tokens: readonly Uint8Array[]): Float32Array {
  const lines = readLines(tokens);
  const least = Math.min(...lines.map(({ indentation }) => indentation));
  const weights = new Float32Array(tokens.length).fill(1);
  for (const [index, { indentation, tokens: own }] of lines.entries()) {
    const isHead = (lines[index + 1]?.indentation ?? 0) > indentation;
    if (indentation > least && !isHead) continue;
    for (const token of own) weights[token] = outlineWeight;
  }
  return weights;
}

interface Line {
  /** Bytes of white space that it starts with: a tab is one of them, like a blank. */
  indentation: number;
  /** Those that hold a byte of the line other than white space. */
  readonly tokens: Set<number>;
}

const lineFeed = 10;
const whiteSpace: ReadonlySet<number> = new Set([9, 11, 12, 13, 32]);

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
