"""
Training by steps. What a step does follows from its number alone, so a run that was stopped and
resumed is the run that was not. The recipe: a warm-up of slots and projection on
reconstruction, then continuation, reconstruction and, where there are mined pairs, selection.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.adapter import RATIOS, Adapter
from training.backbone import Backbone
from training.losses import continuation_loss, reconstruction_loss, selection_loss, task_of
from training.mine import Mined, pair_of
from training.store import Dataset

PROJECTION_RATE, WARM_UP_RATE = 5e-4, 1e-3
RECONSTRUCTION_SHARE = 0.2
SELECTION_SHARE = 0.1  # of all steps behind the warm-up
WARM_UP_TOKENS = (64, 128)
GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Options:
    arm: str
    steps: int
    warm_up: int
    batch: int  # samples of a step
    far_tokens: int  # of a sample, at most
    with_kl: bool = True
    with_reconstruction: bool = True
    lora_rate: float = 2e-4


@dataclass(frozen=True)
class Plan:
    kind: str  # warm-up, continuation, reconstruction or selection
    ratio: int
    samples: list[int]


@dataclass
class Progress:
    step: int = 0
    tokens: int = 0  # of the samples seen, each time they are seen
    seconds: float = 0.0
    best: float | None = None  # exact match + edit similarity


class Trainer:
    def __init__(self, backbone: Backbone, dataset: Dataset, mined: Mined, options: Options) -> None:
        self.backbone, self.dataset, self.mined, self.options = backbone, dataset, mined, options
        self.adapter = Adapter(options.arm, backbone)
        self.progress = Progress()
        named = list(self.adapter.named_parameters())
        lora = [each for name, each in named if name.startswith("lora.")]
        rest = [each for name, each in named if not name.startswith("lora.")]
        groups = [{"params": each} for each in (rest, lora) if each]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.0)

    @property
    def is_done(self) -> bool:
        return self.progress.step >= self.options.steps

    def step(self) -> tuple[Plan, float]:
        plan = plan_step(self.options, self.progress.step, len(self.dataset), self.mined.useful())
        self._set_rates()
        self.optimizer.zero_grad()
        loss = self._loss(plan)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.adapter.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        self.progress.step += 1
        return plan, loss.item()

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        state = {
            "options": asdict(self.options),
            "progress": asdict(self.progress),
            "adapter": self.adapter.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Raises ValueError for the checkpoint of a run with other options."""
        state = torch.load(path, map_location=self.backbone.device, weights_only=True)
        if state["options"] != asdict(self.options):
            raise ValueError(f"{path}: made with {state['options']}, wanted are {asdict(self.options)}")
        self.progress = Progress(**state["progress"])
        self.adapter.load_state_dict(state["adapter"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _loss(self, plan: Plan) -> Tensor:
        device, ratio = self.backbone.device, plan.ratio
        if plan.kind == "selection":
            pairs = [pair_of(self.dataset, self.mined, index, device) for index in plan.samples]
            self.progress.tokens += sum(len(p.query) + len(p.best) + len(p.worst) for p in pairs)
            return selection_loss(self.backbone, self.adapter, pairs, ratio)
        tasks = [task_of(self.dataset[index], device, self.options.far_tokens) for index in plan.samples]
        if plan.kind == "continuation":
            self.progress.tokens += sum(
                len(task.near) + len(task.target) + sum(map(len, task.far)) for task in tasks
            )
            return continuation_loss(self.backbone, self.adapter, tasks, ratio, self.options.with_kl)
        pieces = [task.far[index % len(task.far)] for task, index in zip(tasks, plan.samples)]
        if plan.kind == "warm-up":
            least, most = WARM_UP_TOKENS
            pieces = [piece[: least + index % (most - least + 1)] for piece, index in zip(pieces, plan.samples)]
        self.progress.tokens += sum(map(len, pieces))
        return reconstruction_loss(self.backbone, self.adapter, pieces, ratio)

    def _set_rates(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates_at(self.options, self.progress.step)):
            group["lr"] = rate


def rates_at(options: Options, step: int) -> tuple[float, float]:
    """Of everything but LoRA, and of LoRA, which rests while warming up."""
    if step < options.warm_up:
        return WARM_UP_RATE, 0.0
    done = (step - options.warm_up) / max(1, options.steps - options.warm_up)
    fall = 0.5 * (1 + math.cos(math.pi * done))
    return PROJECTION_RATE * fall, options.lora_rate * fall


def plan_step(options: Options, step: int, sample_count: int, useful: Sequence[int]) -> Plan:
    random = np.random.default_rng([1, step])
    kind = kind_of(options, step, random, len(useful) >= options.batch)
    # From high ratios to low ones in the course of the run.
    done = step / max(1, options.steps)
    weights = np.array([0.5 + done, 1, 1.5 - done]) / 3
    ratio = int(random.choice(RATIOS, p=weights))
    pool = useful if kind == "selection" else sample_count
    return Plan(kind, ratio, random.choice(pool, options.batch, replace=False).tolist())


def kind_of(options: Options, step: int, random: np.random.Generator, can_select: bool) -> str:
    drawn = random.random(2)
    if step < options.warm_up:
        return "warm-up" if options.with_reconstruction else "continuation"
    if can_select and drawn[0] < SELECTION_SHARE:
        return "selection"
    if options.with_reconstruction and drawn[1] < RECONSTRUCTION_SHARE:
        return "reconstruction"
    return "continuation"
