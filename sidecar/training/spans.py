"""Files cut into spans at the borders of their outermost statements, with the names each span holds."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from training.packages import SourceFile

# As sidecar/selection/identifiers.ts has them.
KEYWORDS = frozenset(
    """abstract and any as assert async await bool boolean break byte case catch char class const
    constexpr continue crate debugger declare def default defer del delete do double echo elif else
    elseif elsif end endif enum except export extends extern false False final finally float fn for
    foreach from func function global go goto if impl implements import in include inline instanceof
    int interface internal is keyof lambda let long loop match mod module mut namespace never new nil
    None nonlocal not null nullptr number object of or override package pass private protected pub
    public raise readonly ref require return self Self sizeof static std str string struct super
    switch template then this throw throws trait true True try type typedef typename typeof
    undefined union unknown unless unsafe unsigned until use using val var virtual void when where
    while with yield""".split()
)
IDENTIFIER = re.compile(r"[^\W\d]\w+")


def identifiers_of(text: str) -> set[str]:
    return {word for word in IDENTIFIER.findall(text) if word not in KEYWORDS}


@dataclass(frozen=True)
class Span:
    path: str
    first_line: int  # of the file, from 0
    text: str
    names: frozenset[str] = field(repr=False)


def cut_spans(file: SourceFile, count_tokens: Callable[[list[str]], list[int]], limit: int) -> list[Span]:
    """
    Whole lines; outermost statements stay together where they fit into `limit` tokens.
    `count_tokens` counts those of every line; a single line above the limit is left out.
    """
    lines = file.text.split("\n")
    counts = count_tokens(lines)
    spans: list[Span] = []
    start, taken, border = 0, 0, 0

    def close(end: int) -> None:
        text = "\n".join(lines[start:end]).strip("\n")
        if text.strip():
            spans.append(Span(file.path, start, text, frozenset(identifiers_of(text))))

    for index, line in enumerate(lines):
        if line[:1].strip() and line[0] not in ")}]" and index > 0 and not lines[index - 1].strip():
            border = index
        if taken + counts[index] > limit:
            end = border if start < border else index
            close(end)
            start, taken = end, sum(counts[end:index])
        if counts[index] > limit:
            start, taken = index + 1, 0
        else:
            taken += counts[index]
    close(len(lines))
    return spans
