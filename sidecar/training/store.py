"""
The samples of a split as arrays in one compressed file, `<split>.npz`:

tokens    uint16, or uint32 where the vocabulary needs it: all segments, one behind the other
segments  int64 [segments, 2]: where a segment starts in tokens, and its length
samples   int32 [samples, 5]: first of its far segments in `far`, how many, which of them is needed,
          near segment (its target is the next one), kind (0 continuation, 1 demonstrations)
far       int32: segments, so that samples can share them
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONTINUATION, DEMONSTRATION = 0, 1


@dataclass(frozen=True)
class Sample:
    """Ids of a sample."""

    far: list[np.ndarray]  # spans of other files, worst first
    needed: int
    near: np.ndarray
    target: np.ndarray
    kind: int


class Writer:
    def __init__(self) -> None:
        self.tokens: list[np.ndarray] = []
        self.segments: list[tuple[int, int]] = []
        self.samples: list[tuple[int, int, int, int, int]] = []
        self.far: list[int] = []
        self.token_count = 0

    def add_segment(self, ids: Sequence[int]) -> int:
        self.tokens.append(np.asarray(ids, dtype=np.uint32))
        self.segments.append((self.token_count, len(ids)))
        self.token_count += len(ids)
        return len(self.segments) - 1

    def add_sample(self, far: Sequence[int], needed: int, near: Sequence[int], target: Sequence[int], kind: int) -> None:
        """`far` are segments that were added."""
        row = (len(self.far), len(far), needed, self.add_segment(near), kind)
        self.add_segment(target)
        self.far.extend(far)
        self.samples.append(row)

    def save(self, path: Path, vocabulary_size: int) -> None:
        """In an order that mixes the packages, the same one every time."""
        rows = np.array(self.samples, dtype=np.int32).reshape(-1, 5)
        dtype = np.uint16 if vocabulary_size <= 1 << 16 else np.uint32
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path,
            tokens=np.concatenate(self.tokens or [np.zeros(0)]).astype(dtype),
            segments=np.array(self.segments, dtype=np.int64).reshape(-1, 2),
            samples=np.random.default_rng(1).permutation(rows),
            far=np.array(self.far, dtype=np.int32),
        )


class Dataset(Sequence[Sample]):
    def __init__(self, path: Path) -> None:
        with np.load(path) as arrays:
            self._tokens, self._segments = arrays["tokens"], arrays["segments"]
            self._samples, self._far = arrays["samples"], arrays["far"]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        first, count, needed, near, kind = (int(each) for each in self._samples[index])
        far = [self._segment(each) for each in self._far[first : first + count]]
        return Sample(far, needed, self._segment(near), self._segment(near + 1), kind)

    def _segment(self, index: int) -> np.ndarray:
        start, length = self._segments[index]
        return self._tokens[start : start + length].astype(np.int64)
