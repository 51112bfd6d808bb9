"""Greedy continuation of prompts of different lengths in one batch, behind one cache."""

from collections.abc import Callable

import torch
from transformers import DynamicCache

from training.backbone import Backbone
from training.prompt import Batch


@torch.no_grad()
def generate(
    backbone: Backbone, batch: Batch, count: int, is_complete: Callable[[list[int]], bool]
) -> list[list[int]]:
    """At most `count` ids for each prompt, no more where they are complete."""
    size, rows = batch.embeds.shape[:2]
    device = batch.embeds.device
    lengths = torch.tensor(batch.lengths, device=device)
    cache = DynamicCache()
    states = backbone.run(batch.embeds, batch.mask, cache=cache)
    last = states[torch.arange(size), lengths - 1]
    # What a new row sees: its prompt without the padding, and what was generated.
    visible = torch.arange(rows, device=device)[None] < lengths[:, None]
    answers: list[list[int]] = [[] for _ in range(size)]
    for step in range(count):
        ids = backbone.logits(last).argmax(-1)
        for answer, chosen in zip(answers, ids.tolist()):
            if not is_complete(answer):
                answer.append(chosen)
        if step + 1 == count or all(map(is_complete, answers)):
            break
        visible = torch.cat([visible, visible.new_ones(size, 1)], 1)
        last = backbone.run(
            backbone.embed(ids[:, None]),
            visible[:, None, None],
            cache=cache,
            positions=(lengths + step)[:, None],
        )[:, 0]
    return answers
