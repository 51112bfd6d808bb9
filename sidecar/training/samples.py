"""
Training samples from the files of one package. Nothing is drawn: what is taken follows from hashes.

A continuation is a line that shares a rare name with a span of another file, the near text in which
that name is not yet there, and other spans that are like the near text. A demonstration sample is a
line whose shape repeats in the package, others of that shape, and the line's own start as the query.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha1

from training.packages import SourceFile
from training.spans import Span, cut_spans, identifiers_of

SPAN_COUNT = 8
RAREST = 6  # spans of other files that a rare name may occur in
SHORTEST_NAME = 5
TARGET_CHARACTERS = (15, 110)
NEAR_TOKENS = (64, 256)
TARGET_LINES = 8
SUFFIX_LINES = 8
LINES_PER_SAMPLE = 30  # of a file
DEMONSTRATIONS = (4, 16)
COMMENT_OR_IMPORT = re.compile(
    r"^\s*(//|/?\*|#|\"\"\"|@|import\b|from\b|use\b|export\b.*\bfrom\b)|\brequire\("
)
DEFINITION = r"\b(function\*?|class|interface|type|enum|const|let|var|def|fn|struct|trait|func)\s+{}\b"


@dataclass(frozen=True)
class Continuation:
    spans: tuple[Span, ...]  # worst first, by the near text alone
    needed: int  # which of them holds the rare name
    path: str
    near: str  # whole lines
    target: str  # whole lines, the first of which has the name
    suffix: str  # what stands behind the first line of the target, its end included


@dataclass(frozen=True)
class Demonstrations:
    demonstrations: tuple[str, ...]
    query: str
    answer: str


def order(*parts: object) -> int:
    return int.from_bytes(sha1(" ".join(map(str, parts)).encode()).digest()[:6], "big")


def make_continuations(
    files: Sequence[SourceFile],
    count_tokens: Callable[[list[str]], list[int]],
    span_limit: Callable[[str], int],
) -> Iterator[Continuation]:
    """`span_limit` gives the tokens of a file's longest span."""
    spans = [span for file in files for span in cut_spans(file, count_tokens, span_limit(file.path))]
    places: dict[str, list[int]] = defaultdict(list)
    for index, span in enumerate(spans):
        for name in span.names:
            places[name].append(index)
    candidates = sorted(
        ((order(file.path, line), file, line) for file in files for line in range(5, file.text.count("\n"))),
        key=lambda each: each[0],
    )
    taken: Counter[str] = Counter()
    used_names: set[str] = set()
    for _, file, line in candidates:
        if taken[file.path] > file.text.count("\n") / LINES_PER_SAMPLE:
            continue
        lines = file.text.split("\n")
        target = lines[line]
        if not TARGET_CHARACTERS[0] <= len(target.strip()) <= TARGET_CHARACTERS[1]:
            continue
        if COMMENT_OR_IMPORT.search(target):
            continue
        near = near_lines(lines, line, count_tokens, NEAR_TOKENS[0] + order(file.path, line, "near") % (NEAR_TOKENS[1] - NEAR_TOKENS[0]))
        found = needed_span(target, near, file.path, spans, places)
        if found is None or found[1] in used_names:
            continue
        chosen, needed = rank(near, found[0], file.path, spans, places)
        if len(chosen) < 2:
            continue
        taken[file.path] += 1
        used_names.add(found[1])
        yield Continuation(
            tuple(spans[each] for each in chosen),
            needed,
            file.path,
            near,
            "\n".join(lines[line : line + TARGET_LINES]) + "\n",
            "\n" + "\n".join(lines[line + 1 : line + 1 + SUFFIX_LINES]),
        )


def near_lines(lines: list[str], end: int, count_tokens: Callable[[list[str]], list[int]], limit: int) -> str:
    """The last whole lines before `end` that are not above `limit` tokens together."""
    first = max(0, end - 60)
    start, total = end, 0
    for index, count in reversed(list(enumerate(count_tokens(lines[first:end]), first))):
        total += count
        if total > limit:
            break
        start = index
    return "".join(f"{line}\n" for line in lines[start:end])


def needed_span(
    target: str, near: str, path: str, spans: list[Span], places: dict[str, list[int]]
) -> tuple[int, str] | None:
    """The span of another file with a rare name of the target, and the name."""
    known = identifiers_of(near)
    for name in sorted(identifiers_of(target) - known, key=lambda each: order(each)):
        elsewhere = [each for each in places.get(name, ()) if spans[each].path != path]
        if len(name) < SHORTEST_NAME or not 1 <= len(elsewhere) <= RAREST:
            continue
        definition = re.compile(DEFINITION.format(re.escape(name)))
        defining = [each for each in elsewhere if definition.search(spans[each].text)]
        return (defining or elsewhere)[0], name
    return None


def rank(
    near: str, needed: int, path: str, spans: list[Span], places: dict[str, list[int]]
) -> tuple[list[int], int]:
    """The spans most like the near text by the Jaccard of names, worst first, and where the needed one is."""
    query = identifiers_of(near)
    shared: Counter[int] = Counter()
    for name in query:
        shared.update(each for each in places.get(name, ()) if spans[each].path != path)

    def likeness(each: int) -> tuple[float, int]:
        return shared[each] / (len(query | spans[each].names) or 1), -each

    best = sorted(shared, key=likeness, reverse=True)[:SPAN_COUNT]
    if needed not in best:
        best = [*best[: SPAN_COUNT - 1], needed]
    best.reverse()
    return best, best.index(needed)


SHAPE = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\w+")
QUERY_END = re.compile(r"=>|[=(:]")


def shape_of(line: str) -> str:
    """The line with every string and word replaced, so that repeated patterns are equal."""
    return SHAPE.sub(lambda found: "s" if found[0][0] in "\"'`" else "w", line)


def make_demonstrations(files: Sequence[SourceFile]) -> Iterator[Demonstrations]:
    groups: dict[str, dict[str, None]] = defaultdict(dict)
    for file in files:
        for line in file.text.split("\n"):
            line = line.strip()
            if 20 <= len(line) <= 120 and QUERY_END.search(line) and not COMMENT_OR_IMPORT.search(line):
                groups[f"{file.language} {shape_of(line)}"][line] = None
    for shape in sorted(groups, key=order):
        lines = sorted(groups[shape], key=order)
        if len(lines) <= DEMONSTRATIONS[0]:
            continue
        least, most = DEMONSTRATIONS
        count = least + order(shape, "count") % (most - least + 1)
        query = lines[0]
        end = QUERY_END.search(query).end()
        if len(query) - end >= 5:
            yield Demonstrations(tuple(lines[1 : 1 + count]), query[:end], query[end:])
