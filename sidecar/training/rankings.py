"""Rankings of a sample's spans for its near text, and how often each puts the most useful span first."""

import math
from collections import Counter
from collections.abc import Sequence

import torch

from training.adapter import Adapter
from training.backbone import Backbone
from training.losses import pooled
from training.mine import QUERY_TOKENS
from training.spans import IDENTIFIER, KEYWORDS
from training.store import Sample

BM25_K1, BM25_B = 1.2, 0.7  # as the product's


def names_of(text: str) -> list[str]:
    return [word for word in IDENTIFIER.findall(text) if word not in KEYWORDS]


class Lexical:
    """Jaccard and BM25 over names; how rare a name is counts over all spans of all samples."""

    def __init__(self, backbone: Backbone, samples: Sequence[Sample]) -> None:
        self._tokenizer = backbone.tokenizer
        documents = [self._names(span) for sample in samples for span in sample.far]
        self._count = len(documents)
        self._containing = Counter(name for names in documents for name in set(names))
        self._mean_length = sum(map(len, documents)) / max(1, len(documents))

    def jaccard(self, sample: Sample) -> list[float]:
        query = set(self._names(sample.near[-QUERY_TOKENS:]))
        spans = [set(self._names(span)) for span in sample.far]
        return [len(query & names) / max(1, len(query | names)) for names in spans]

    def bm25(self, sample: Sample) -> list[float]:
        query = set(self._names(sample.near[-QUERY_TOKENS:]))
        return [self._bm25(query, Counter(self._names(span))) for span in sample.far]

    def _bm25(self, query: set[str], counts: Counter[str]) -> float:
        scale = BM25_K1 * (1 - BM25_B + BM25_B * counts.total() / self._mean_length)
        return sum(
            math.log(1 + (self._count - self._containing[name] + 0.5) / (self._containing[name] + 0.5))
            * counts[name]
            * (BM25_K1 + 1)
            / (counts[name] + scale)
            for name in query
        )

    def _names(self, ids: Sequence[int]) -> list[str]:
        return names_of(self._tokenizer.decode(ids))


@torch.no_grad()
def by_cosine(backbone: Backbone, adapter: Adapter, sample: Sample, ratio: int) -> tuple[list[float], float]:
    """Scores by the pooled virtual tokens, and the mean cosine of two spans: near 1 they have collapsed."""
    texts = [sample.near[-QUERY_TOKENS:], *sample.far]
    pieces = [torch.from_numpy(each).to(backbone.device) for each in texts]
    query, *spans = pooled(backbone, adapter, pieces, ratio)
    table = torch.stack(spans)
    others = table @ table.T
    count = len(spans)
    alike = (others.sum() - others.diagonal().sum()) / (count * (count - 1))
    return (table @ query).tolist(), alike.item()


def is_hit(scores: Sequence[float], gains: Sequence[float]) -> float:
    """1 where the best by score is the most useful; ties share."""
    best = max(scores)
    tied = [index for index, each in enumerate(scores) if each == best]
    wanted = max(range(len(gains)), key=lambda index: gains[index])
    return (wanted in tied) / len(tied)
