"""
Builds the samples of every split for a backbone:

    python -m training.data --backbone smollm2-135m --size cpu

Packages are fetched once, files that say what an earlier one said are dropped (test packages come
first, so that nothing of theirs is trained on), and the arrays go to .cache/training/data with a
manifest: every package with its licence, files, samples and tokens.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from training import store
from training.backbone import BACKBONES, find_file, open_tokenizer
from training.duplicates import Duplicates
from training.packages import SIZES, Package, SourceFile, list_packages, read_package, stated_licence
from training.paths import data_folder
from training.samples import Continuation, Demonstrations, make_continuations, make_demonstrations, order
from training.spans import Span
from training.store import CONTINUATION, DEMONSTRATION
from training.tokenizer import TextTokenizer

# Samples of a package: continuations, demonstrations.
SAMPLES = {"toy": (60, 12), "cpu": (220, 40), "full": (2400, 240)}
JUDGED_SAMPLES = (125, 25)
PIECE_TOKENS = 512
TARGET_TOKENS = 64
SUFFIX_TOKENS = 96
# Of what is trained; what is judged has the shortest, like the product's benchmark.
SPAN_TOKENS = (128, 128, 256, 512)
# Headers belong to a span, so its text is cut for that much less.
HEADER_TOKENS = 28


class SampleEncoder:
    """Adds the samples of one package to a writer."""

    def __init__(self, tokenizer: TextTokenizer, writer: store.Writer) -> None:
        self._tokenizer = tokenizer
        self._writer = writer
        self._segments: dict[tuple[str, int, str], int] = {}

    def add_continuation(self, sample: Continuation) -> None:
        near, target = self.split(sample)
        far = [self._segment_of(span) for span in sample.spans]
        if near and target:
            self._writer.add_sample(far, sample.needed, near, target, CONTINUATION)

    def add_demonstrations(self, sample: Demonstrations) -> None:
        shown = self._tokenizer.encode("".join(f"{each}\n" for each in sample.demonstrations))
        ids, target = self.cut(sample.query, f"{sample.answer}\n")
        if ids and target:
            far = [self._writer.add_segment(shown[:PIECE_TOKENS])]
            self._writer.add_sample(far, 0, ids, target[:TARGET_TOKENS], DEMONSTRATION)

    def split(self, sample: Continuation) -> tuple[list[int], list[int]]:
        """Near text and target as the model would see them; half of them with the file's header."""
        choice = order(sample.path, sample.near)
        header = self._tokenizer.header(sample.path) if choice % 2 else []
        if self._tokenizer.has_middle and choice // 2 % 2:
            line = sample.target.split("\n")[0]
            prefix, target = self.cut(sample.near, line)
            suffix = self._tokenizer.encode(sample.suffix)[:SUFFIX_TOKENS]
            marks = [self._tokenizer.special_id(f"<|fim_{part}|>") for part in ("prefix", "suffix", "middle")]
            near = [*header, marks[0], *prefix, marks[1], *suffix, marks[2]]
        else:
            prefix, target = self.cut(sample.near, sample.target)
            near = [*header, *prefix]
        return near, target[:TARGET_TOKENS]

    def cut(self, near: str, target: str) -> tuple[list[int], list[int]]:
        """Both tokenised as one text; a token over the border belongs to the target."""
        ids, ends = self._tokenizer.encode_with_ends(near + target)
        border = next((index for index, end in enumerate(ends) if end > len(near)), len(ids))
        return ids[:border], ids[border:]

    def _segment_of(self, span: Span) -> int:
        key = (span.path, span.first_line, span.text)
        if key not in self._segments:
            ids = [*self._tokenizer.header(span.path), *self._tokenizer.encode(f"{span.text}\n")]
            self._segments[key] = self._writer.add_segment(ids[:PIECE_TOKENS])
        return self._segments[key]


def span_limit(package: Package, path: str) -> int:
    longest = SPAN_TOKENS[order(package.id, path) % len(SPAN_TOKENS)] if package.split == "train" else 128
    return longest - HEADER_TOKENS


def add_package(
    package: Package, files: list[SourceFile], tokenizer: TextTokenizer, writer: store.Writer, size: str
) -> dict[str, object]:
    """The package's line of the manifest."""
    before, tokens_before = len(writer.samples), writer.token_count
    encoder = SampleEncoder(tokenizer, writer)
    most, most_demonstrations = SAMPLES[size] if package.split == "train" else JUDGED_SAMPLES
    continuations = make_continuations(files, tokenizer.count_lines, lambda path: span_limit(package, path))
    for _, continuation in zip(range(most), continuations):
        encoder.add_continuation(continuation)
    for _, demonstrations in zip(range(most_demonstrations), make_demonstrations(files)):
        encoder.add_demonstrations(demonstrations)
    return {
        "package": package.id,
        "licence": package.licence,
        "split": package.split,
        "files": len(files),
        "samples": len(writer.samples) - before,
        "tokens": writer.token_count - tokens_before,
    }


def new_files(package: Package, seen: Duplicates) -> Iterator[SourceFile]:
    for file in read_package(package):
        if seen.is_new(file.text):
            yield file


def build(tokenizer: TextTokenizer, size: str, folder: Path) -> dict[str, dict[str, int]]:
    """Samples and tokens of every split."""
    seen, lines, totals = Duplicates(), [], {}
    for split in ("test", "validation", "train"):
        writer = store.Writer()
        for package in (each for each in list_packages(size) if each.split == split):
            line = add_package(package, list(new_files(package, seen)), tokenizer, writer, size)
            lines.append({**line, "stated": stated_licence(package)})
            print(f"{line['package']}: {line['samples']} samples, {line['tokens']} tokens", flush=True)
        writer.save(folder / f"{split}.npz", tokenizer.vocabulary_size)
        totals[split] = {"samples": len(writer.samples), "tokens": writer.token_count}
    (folder / "manifest.json").write_text(json.dumps({"totals": totals, "packages": lines}, indent=1) + "\n")
    return totals


def main() -> None:
    parser = argparse.ArgumentParser(prog="training.data", description="build the training samples")
    parser.add_argument("--backbone", choices=BACKBONES, default="smollm2-135m")
    parser.add_argument("--size", choices=SIZES, default="cpu")
    parser.add_argument("--gguf", type=Path, help="default: in Pith's models folder")
    flags = parser.parse_args()
    _, path = find_file(flags.backbone, flags.gguf)
    folder = data_folder(flags.backbone, flags.size)
    totals = build(open_tokenizer(path), flags.size, folder)
    print(json.dumps({"folder": str(folder), **totals}))


if __name__ == "__main__":
    main()
