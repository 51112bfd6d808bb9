"""
Attention that can run texts which stand one behind the other in one sequence, none seeing another:
on a CPU, rows of many short texts make one large product of every matrix, without padding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

ATTENTION = "apart"


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    lengths: Sequence[int] | None = None,
    masks: Sequence[Tensor] = (),
    **others: object,
) -> tuple[Tensor, None]:
    """As transformers wants it; `lengths` and `masks` as Backbone.run_apart gives them."""
    if lengths is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **others)
    texts = zip(*(each[0].split(lengths, 1) for each in (query, key, value)), masks)
    return torch.cat([dot_products(*text) for text in texts], 1).transpose(0, 1)[None], None


def dot_products(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """
    [heads, rows, size] of query and, with fewer heads, key and value. Spelt out: torch's own function
    takes three times as long to go back through it on a CPU.
    """
    heads, rows, size = query.shape
    groups = query.reshape(len(key), -1, size)
    scores = (groups @ (key * size**-0.5).transpose(1, 2)).view(heads, rows, rows)
    weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    return (weights.view(len(key), -1, rows) @ value).view(heads, rows, size)


AttentionInterface.register(ATTENTION, attend)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
