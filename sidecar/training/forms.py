"""The forms that far text can take in front of the near text, each with the positions it costs. A
form turns a task and the ids behind the far part into a prompt."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from training.adapter import Adapter, count_of
from training.backbone import Backbone
from training.losses import Task
from training.prompt import Prompt, memory_prompt, raw_prompt

Form = Callable[[Task, Tensor], tuple[Prompt, int]]


def no_form(backbone: Backbone) -> Form:
    return lambda task, text: (raw_prompt(backbone, text[:0], text), 0)


def raw_form(backbone: Backbone) -> Form:
    def build(task: Task, text: Tensor) -> tuple[Prompt, int]:
        far = torch.cat(task.far)
        return raw_prompt(backbone, far, text), len(far)

    return build


def cut_form(backbone: Backbone, ratio: int) -> Form:
    """The end of the raw text, at the positions that the embedded form takes."""

    def build(task: Task, text: Tensor) -> tuple[Prompt, int]:
        count = embedded_positions(task.far, ratio)
        return raw_prompt(backbone, torch.cat(task.far)[-count:], text), count

    return build


def embedded_form(backbone: Backbone, adapter: Adapter, ratio: int) -> Form:
    def build(task: Task, text: Tensor) -> tuple[Prompt, int]:
        blocks = adapter.compress(backbone, task.far, ratio)
        return memory_prompt(backbone, blocks, adapter.cont, text), embedded_positions(task.far, ratio)

    return build


def embedded_positions(far: Sequence[Tensor], ratio: int) -> int:
    """Virtual tokens, and CONT behind every piece."""
    return sum(count_of(len(piece), ratio) + 1 for piece in far)
