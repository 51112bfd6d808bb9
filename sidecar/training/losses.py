"""What training minimises: continuation with the full-context teacher, reconstruction,
and the selection of useful spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize

from training.adapter import Adapter
from training.backbone import Backbone
from training.prompt import memory_prompt, raw_prompt, target_logits
from training.store import Sample

KL_WEIGHT = 0.5
USEFUL_WEIGHT = 2.0  # of a token that the context makes likelier
TEMPERATURE = 0.05  # InfoNCE


@dataclass(frozen=True)
class Task:
    """Ids of a sample, as tensors on the model's device."""

    far: list[Tensor]
    near: Tensor
    target: Tensor


@dataclass(frozen=True)
class Pair:
    """A query and the spans that help it most and least."""

    query: Tensor
    best: Tensor
    worst: Tensor


def task_of(sample: Sample, device: torch.device, far_tokens: int) -> Task:
    """With the needed span, and of the others the best that fit into `far_tokens`."""
    left = far_tokens - len(sample.far[sample.needed])
    kept = {sample.needed}
    for index in reversed(range(len(sample.far))):
        if index not in kept and len(sample.far[index]) <= left:
            kept.add(index)
            left -= len(sample.far[index])
    far = [torch.from_numpy(sample.far[index]).to(device) for index in sorted(kept)]
    return Task(far, torch.from_numpy(sample.near).to(device), torch.from_numpy(sample.target).to(device))


def continuation_loss(backbone: Backbone, adapter: Adapter, tasks: Sequence[Task], ratio: int, with_kl: bool = True) -> Tensor:
    labels = torch.cat([task.target for task in tasks])
    logits = embedded_logits(backbone, adapter, tasks, ratio)
    with torch.no_grad():
        teacher = raw_logits(backbone, tasks)
        gained = nll(teacher, labels) < nll(raw_logits(backbone, tasks, with_far=False), labels)
    weights = 1 + (USEFUL_WEIGHT - 1) * gained
    loss = (weights * nll(logits, labels)).sum() / weights.sum()
    if with_kl:
        loss = loss + KL_WEIGHT * kl_div(
            log_softmax(logits, -1), log_softmax(teacher, -1), reduction="batchmean", log_target=True
        )
    return loss


def reconstruction_loss(backbone: Backbone, adapter: Adapter, pieces: Sequence[Tensor], ratio: int) -> Tensor:
    blocks = adapter.compress(backbone, pieces, ratio)
    prompts = [memory_prompt(backbone, [block], adapter.rec, piece) for block, piece in zip(blocks, pieces)]
    logits = target_logits(backbone, prompts, [len(piece) for piece in pieces])
    return cross_entropy(logits, torch.cat(list(pieces)))


def selection_loss(backbone: Backbone, adapter: Adapter, pairs: Sequence[Pair], ratio: int) -> Tensor:
    """InfoNCE over all spans of the batch."""
    queries = pooled(backbone, adapter, [pair.query for pair in pairs], ratio)
    spans = [pair.best for pair in pairs] + [pair.worst for pair in pairs]
    scores = queries @ pooled(backbone, adapter, spans, ratio).T / TEMPERATURE
    return cross_entropy(scores, torch.arange(len(pairs), device=scores.device))


def pooled(backbone: Backbone, adapter: Adapter, pieces: Sequence[Tensor], ratio: int) -> Tensor:
    """Unit vectors to compare by: [pieces, hidden]."""
    means = [virtual.mean(0) for virtual in adapter.compress(backbone, pieces, ratio)]
    return normalize(torch.stack(means), dim=-1)


def embedded_logits(backbone: Backbone, adapter: Adapter, tasks: Sequence[Task], ratio: int) -> Tensor:
    """At every target id: [target ids of all tasks, vocabulary]."""
    blocks = iter(adapter.compress(backbone, [piece for task in tasks for piece in task.far], ratio))
    prompts = [
        memory_prompt(
            backbone, [next(blocks) for _ in task.far], adapter.cont, torch.cat([task.near, task.target])
        )
        for task in tasks
    ]
    return target_logits(backbone, prompts, [len(task.target) for task in tasks])


def raw_logits(backbone: Backbone, tasks: Sequence[Task], with_far: bool = True) -> Tensor:
    prompts = [
        raw_prompt(
            backbone,
            torch.cat(task.far) if with_far else task.near[:0],
            torch.cat([task.near, task.target]),
        )
        for task in tasks
    ]
    return target_logits(backbone, prompts, [len(task.target) for task in tasks])


def nll(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, reduction="none")
