"""
Prompts as the decoder gets them: `[sink] far [near target]`, the far part raw text or blocks of
virtual tokens, each closed by CONT. A block sees the sink and itself; what follows sees everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from training.backbone import Backbone

SINK_GROUP, TEXT_GROUP = 0, -1


@dataclass(frozen=True)
class Prompt:
    embeds: Tensor  # [rows, hidden]
    groups: Tensor  # int64 [rows]: the sink, blocks from 1 on, or text


@dataclass(frozen=True)
class Batch:
    embeds: Tensor  # [batch, rows, hidden], padded at the end
    mask: Tensor | None  # bool [batch, 1, rows, rows]; None: causal
    lengths: list[int]


def raw_prompt(backbone: Backbone, far: Tensor, text: Tensor) -> Prompt:
    """`far` and `text` are ids; far may be empty."""
    sink = torch.tensor(backbone.sink_ids(), device=backbone.device)
    return text_prompt(backbone.embed(torch.cat([sink, far, text])))


def text_prompt(embeds: Tensor) -> Prompt:
    """[rows, hidden], each row seeing those before it."""
    return Prompt(embeds, torch.full((len(embeds),), TEXT_GROUP, device=embeds.device))


def memory_prompt(backbone: Backbone, blocks: Sequence[Tensor], closing: Tensor, text: Tensor) -> Prompt:
    """`blocks` are virtual tokens [k, hidden], `closing` [hidden] is CONT or REC."""
    sink = torch.tensor(backbone.sink_ids(), device=backbone.device)
    dtype = backbone.net.dtype
    parts, groups = [backbone.embed(sink)], [SINK_GROUP] * len(sink)
    for index, block in enumerate(blocks, 1):
        parts += [block.to(dtype), closing[None].to(dtype)]
        groups += [index] * (len(block) + 1)
    parts.append(backbone.embed(text))
    groups += [TEXT_GROUP] * len(text)
    return Prompt(torch.cat(parts), torch.tensor(groups, device=backbone.device))


def join(prompts: Sequence[Prompt]) -> Batch:
    embeds = pad_sequence([each.embeds for each in prompts], batch_first=True)
    groups = pad_sequence([each.groups for each in prompts], batch_first=True, padding_value=TEXT_GROUP)
    lengths = [len(each.embeds) for each in prompts]
    if bool((groups == TEXT_GROUP).all()):
        return Batch(embeds, None, lengths)
    return Batch(embeds, visible(groups)[:, None], lengths)


def visible(groups: Tensor) -> Tensor:
    """Whether a row sees a column: bool [..., rows, rows] of groups [..., rows]."""
    rows, columns = groups[..., :, None], groups[..., None, :]
    causal = torch.ones(groups.shape[-1], groups.shape[-1], dtype=torch.bool, device=groups.device).tril()
    return ((columns == SINK_GROUP) | (columns == rows) | (rows == TEXT_GROUP)) & causal


def run_prompts(backbone: Backbone, prompts: Sequence[Prompt]) -> list[Tensor]:
    """
    States after the final norm, [rows, hidden] of every prompt: padded to one batch on a GPU; on a CPU,
    where padding costs as much as text, one behind the other in one sequence.
    """
    lengths = [len(each.embeds) for each in prompts]
    if backbone.device.type == "cuda":
        batch = join(prompts)
        return [state[:length] for state, length in zip(backbone.run(batch.embeds, batch.mask), lengths)]
    masks = [visible(each.groups) for each in prompts]
    return list(backbone.run_apart(torch.cat([each.embeds for each in prompts]), lengths, masks).split(lengths))


def target_logits(backbone: Backbone, prompts: Sequence[Prompt], counts: Sequence[int]) -> Tensor:
    """Logits of the last `counts` ids of every prompt, all in one: [sum of counts, vocabulary]."""
    states = run_prompts(backbone, prompts)
    wanted = [state[-count - 1 : -1] for state, count in zip(states, counts)]
    return backbone.logits(torch.cat(wanted))
