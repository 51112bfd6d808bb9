"""Which files say what an earlier one said: exact copies by hash, near copies by MinHash (Broder,
1997) over shingles of five words, with 64 permutations in 16 bands of 4."""

import re
from hashlib import blake2b

import numpy as np

SHINGLE_WORDS = 5
BANDS, ROWS = 16, 4
SIMILARITY = 0.8
WORD = re.compile(r"\w+|[^\w\s]")
PRIME = (1 << 31) - 1


class Duplicates:
    """Remembers the texts that it was shown."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self._factors = random.integers(1, PRIME, BANDS * ROWS, dtype=np.int64)
        self._offsets = random.integers(0, PRIME, BANDS * ROWS, dtype=np.int64)
        self._exact: set[bytes] = set()
        self._bands: dict[tuple[int, bytes], list[np.ndarray]] = {}

    def is_new(self, text: str) -> bool:
        """False for a copy of a text that was new; a new one is remembered."""
        digest = blake2b(text.encode(), digest_size=16).digest()
        if digest in self._exact:
            return False
        signature = self._sign(text)
        keys = [(band, signature[band * ROWS : (band + 1) * ROWS].tobytes()) for band in range(BANDS)]
        for key in keys:
            for other in self._bands.get(key, ()):
                if np.mean(other == signature) >= SIMILARITY:
                    return False
        self._exact.add(digest)
        for key in keys:
            self._bands.setdefault(key, []).append(signature)
        return True

    def _sign(self, text: str) -> np.ndarray:
        """The least value of every permutation over the shingles: [BANDS * ROWS]."""
        words = WORD.findall(text)
        shingles = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(1, len(words) - 4))}
        hashes = np.array(
            [int.from_bytes(blake2b(each.encode(), digest_size=4).digest(), "little") % PRIME for each in shingles],
            dtype=np.int64,
        )
        least = np.full(BANDS * ROWS, PRIME, dtype=np.int64)
        for start in range(0, len(hashes), 4096):
            part = hashes[start : start + 4096, None]
            least = np.minimum(least, ((part * self._factors + self._offsets) % PRIME).min(0))
        return least
