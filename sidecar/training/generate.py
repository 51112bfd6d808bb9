"""What follows prompts of different lengths, in one batch behind one cache."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from training.backbone import Backbone
from training.losses import nll
from training.prompt import Batch


@dataclass
class Prefilled:
    """Prompts that were run."""

    cache: DynamicCache
    last: Tensor  # state of the last row of each: [batch, hidden]
    lengths: Tensor  # int64 [batch]
    visible: Tensor  # bool [batch, rows]: what is no padding


@torch.no_grad()
def prefill(backbone: Backbone, batch: Batch) -> Prefilled:
    size, rows = batch.embeds.shape[:2]
    lengths = torch.tensor(batch.lengths, device=batch.embeds.device)
    cache = DynamicCache()
    states = backbone.run(batch.embeds, batch.mask, cache=cache)
    visible = torch.arange(rows, device=lengths.device)[None] < lengths[:, None]
    return Prefilled(cache, states[torch.arange(size), lengths - 1], lengths, visible)


@torch.no_grad()
def target_losses(backbone: Backbone, prompts: Prefilled, targets: Sequence[Tensor]) -> list[float]:
    """NLL of the ids behind each prompt, in nats. The prompts stay as they are."""
    inputs = pad_sequence([each[:-1] for each in targets], batch_first=True)
    size, width = inputs.shape
    states = prompts.last[:, None]
    if width > 0:
        causal = torch.ones(width, width, dtype=torch.bool, device=inputs.device).tril()
        sees = torch.cat([prompts.visible[:, None].expand(-1, width, -1), causal.expand(size, -1, -1)], -1)
        positions = prompts.lengths[:, None] + torch.arange(width, device=inputs.device)
        further = backbone.run(
            backbone.embed(inputs), sees[:, None], cache=copy.deepcopy(prompts.cache), positions=positions
        )
        states = torch.cat([states, further], 1)
    logits = [backbone.logits(state[: len(target)]) for state, target in zip(states, targets)]
    return [nll(each, target).sum().item() for each, target in zip(logits, targets)]


@torch.no_grad()
def generate(
    backbone: Backbone, prompts: Prefilled, count: int, is_complete: Callable[[list[int]], bool]
) -> list[list[int]]:
    """At most `count` ids for each prompt, greedily, no more where they are complete; they go into the cache."""
    last, visible = prompts.last, prompts.visible
    answers: list[list[int]] = [[] for _ in last]
    for step in range(count):
        ids = backbone.logits(last).argmax(-1)
        for answer, chosen in zip(answers, ids.tolist()):
            if not is_complete(answer):
                answer.append(chosen)
        if step + 1 == count or all(map(is_complete, answers)):
            break
        visible = torch.cat([visible, visible.new_ones(len(last), 1)], 1)
        last = backbone.run(
            backbone.embed(ids[:, None]),
            visible[:, None, None],
            cache=prompts.cache,
            positions=(prompts.lengths + step)[:, None],
        )[:, 0]
    return answers
