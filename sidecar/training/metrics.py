"""What is measured of a completion, with intervals by resampling samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.backbone import Backbone
from training.forms import Form
from training.generate import generate, prefill, target_losses
from training.losses import Task
from training.prompt import join
from training.tokenizer import TextTokenizer

LINE_TOKENS = 40
RESAMPLES = 1000


@dataclass(frozen=True)
class Score:
    nll: float  # nats of the line
    exact: float  # 1 or 0
    similarity: float  # of the edit distance, 0 to 1
    positions: int  # in front of the near text, the sink aside


def line_of(tokenizer: TextTokenizer, target: Tensor) -> Tensor:
    """The first line of a target that is not blank, with the token that ends it."""
    ids = target.tolist()
    for count in range(1, min(len(ids), LINE_TOKENS) + 1):
        if has_line(tokenizer, ids[:count]):
            return target[:count]
    return target[:LINE_TOKENS]


def has_line(tokenizer: TextTokenizer, ids: list[int]) -> bool:
    """Whether a line that is not blank ends in it, or the text does."""
    return any(tokenizer.is_special(each) for each in ids[-1:]) or "\n" in tokenizer.decode(ids).lstrip()


def first_line(tokenizer: TextTokenizer, ids: list[int]) -> str:
    """Without the white space around it."""
    text = tokenizer.decode([each for each in ids if not tokenizer.is_special(each)])
    return text.lstrip().split("\n")[0].rstrip()


def line_tasks(tokenizer: TextTokenizer, tasks: Sequence[Task]) -> list[Task]:
    return [Task(task.far, task.near, line_of(tokenizer, task.target)) for task in tasks]


def score_all(backbone: Backbone, tasks: list[Task], form: Form, batch: int) -> list[Score]:
    parts = [tasks[start : start + batch] for start in range(0, len(tasks), batch)]
    return [each for part in parts for each in score(backbone, part, form)]


@torch.no_grad()
def score(backbone: Backbone, tasks: Sequence[Task], form: Form) -> list[Score]:
    """Of every task's line, see line_tasks."""
    tokenizer = backbone.tokenizer
    built = [form(task, task.near) for task in tasks]
    prompts = prefill(backbone, join([prompt for prompt, _ in built]))
    losses = target_losses(backbone, prompts, [task.target for task in tasks])
    answers = generate(backbone, prompts, LINE_TOKENS, lambda ids: has_line(tokenizer, ids))
    return [
        judge(tokenizer, task.target.tolist(), answer, loss, positions)
        for task, loss, answer, (_, positions) in zip(tasks, losses, answers, built)
    ]


def judge(tokenizer: TextTokenizer, target: list[int], answer: list[int], loss: float, positions: int) -> Score:
    wanted, given = first_line(tokenizer, target), first_line(tokenizer, answer)
    likeness = 1 - distance(given, wanted) / max(len(given), len(wanted), 1)
    return Score(loss, float(given == wanted), likeness, positions)


def distance(first: str, second: str) -> int:
    """Levenshtein's."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row = row, [i]
        for j, b in enumerate(second, 1):
            row.append(min(row[-1] + 1, previous[j] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def interval(values: np.ndarray, statistic: Callable[[np.ndarray], float]) -> tuple[float, float]:
    """95 %, resampling the rows of `values`."""
    random = np.random.default_rng(1)
    drawn = [statistic(values[random.integers(0, len(values), len(values))]) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def kept_share(values: np.ndarray) -> float:
    """Of rows (none, raw, form): what the form keeps of the gain of raw."""
    none, raw, form = values.mean(0)
    return float((form - none) / (raw - none)) if raw != none else float("nan")
