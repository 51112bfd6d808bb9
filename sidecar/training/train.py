"""
Trains an adapter, from the last checkpoint where there is one:

    python -m training.train --arm "uni+ pool" --backbone smollm2-135m --minutes 10

A run lies in .cache/training/runs: checkpoint.pt to resume from, best.pt with the adapter that had
the best exact match + edit similarity on validation samples, log.jsonl. SIGTERM saves and stops.
"""

import argparse
import json
import signal
import time
from pathlib import Path

import numpy as np

from training.adapter import ARMS, slug
from training.backbone import Backbone, add_running_flags, open_running
from training.forms import Form, embedded_form, no_form, raw_form
from training.losses import task_of
from training.metrics import Score, kept_share, line_tasks, score_all
from training.mine import Mined, mined_path
from training.packages import SIZES
from training.paths import data_folder, run_folder
from training.store import Dataset
from training.trainer import Options, Trainer

VALIDATION_RATIO = 4
CHECKPOINT_MINUTES = 5


def main() -> None:
    flags = parse_flags()
    folder = run_folder(flags.backbone, flags.size, run_name(flags))
    folder.mkdir(parents=True, exist_ok=True)
    data = data_folder(flags.backbone, flags.size)
    options = Options(
        arm=flags.arm,
        steps=flags.steps,
        warm_up=flags.warm_up,
        batch=flags.batch,
        far_tokens=flags.far_tokens,
        with_kl=not flags.no_kl,
        with_reconstruction=not flags.no_reconstruction,
        lora_rate=flags.lora_rate,
    )
    end = time.monotonic() + 60 * flags.minutes
    backbone = open_running(flags)
    mined = Mined.load(mined_path(data, "train"))
    trainer = Trainer(backbone, Dataset(data / "train.npz"), mined, options)
    if (folder / "checkpoint.pt").exists():
        trainer.load(folder / "checkpoint.pt")
    judge = Judge(backbone, Dataset(data / "validation.npz"), options, flags.validation_samples)
    train(trainer, judge, folder, end, flags.validate_minutes)


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training.train", description="train an adapter")
    parser.add_argument("--arm", choices=ARMS, required=True)
    add_running_flags(parser)
    parser.add_argument("--size", choices=SIZES, default="cpu", help="of the data")
    parser.add_argument("--minutes", type=float, default=10, help="stop and save after so long")
    parser.add_argument("--steps", type=int, default=2000, help="of the whole run")
    parser.add_argument("--warm-up", type=int, default=100, help="steps of it")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--far-tokens", type=int, default=512, help="of a sample")
    parser.add_argument("--lora-rate", type=float, default=2e-4, help="2e-4 is for long runs with large batches")
    parser.add_argument("--no-kl", action="store_true")
    parser.add_argument("--no-reconstruction", action="store_true")
    parser.add_argument("--validate-minutes", type=float, default=5)
    parser.add_argument("--validation-samples", type=int, default=500)
    return parser.parse_args()


def run_name(flags: argparse.Namespace) -> str:
    without = ["-no-kl"] * flags.no_kl + ["-no-reconstruction"] * flags.no_reconstruction
    return slug(flags.arm) + "".join(without)


class Judge:
    """Scores an adapter on validation samples, beside no context and raw text."""

    def __init__(self, backbone: Backbone, dataset: Dataset, options: Options, count: int) -> None:
        self._backbone, self._batch = backbone, options.batch
        tasks = [
            task_of(dataset[index], backbone.device, options.far_tokens)
            for index in range(min(count, len(dataset)))
        ]
        self._tasks = line_tasks(backbone.tokenizer, tasks)
        self._bounds: tuple[list[Score], list[Score]] | None = None

    def validate(self, trainer: Trainer) -> dict[str, float]:
        if self._bounds is None:
            self._bounds = self._score(no_form(self._backbone)), self._score(raw_form(self._backbone))
        scores = self._score(embedded_form(self._backbone, trainer.adapter, VALIDATION_RATIO))
        columns = (*self._bounds, scores)
        losses = np.array([[each.nll for each in column] for column in columns]).T
        none, raw, embedded = losses.mean(0).tolist()
        return {
            "samples": len(scores),
            **{"none": none, "raw": raw, "embedded": embedded, "kept_share": kept_share(losses)},
            "exact": float(np.mean([each.exact for each in scores])),
            "similarity": float(np.mean([each.similarity for each in scores])),
        }

    def _score(self, form: Form) -> list[Score]:
        return score_all(self._backbone, self._tasks, form, self._batch)


def train(trainer: Trainer, judge: Judge, folder: Path, end: float, validate_minutes: float) -> None:
    """Until the run or its time is over; time between validations is time of training."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    progress = trainer.progress
    last = started = time.monotonic()
    saved = validated = started

    def log(line: dict[str, object]) -> None:
        text = json.dumps({"step": progress.step, "tokens": progress.tokens, "seconds": round(progress.seconds), **line})
        print(text, flush=True)
        with open(folder / "log.jsonl", "a") as file:
            file.write(f"{text}\n")

    def validate() -> None:
        result = judge.validate(trainer)
        log(result)
        value = result["exact"] + result["similarity"]
        if progress.best is None or value > progress.best:
            progress.best = value
            trainer.save(folder / "best.pt")

    if progress.step == 0:
        validate()
        last = validated = time.monotonic()
    while not trainer.is_done and time.monotonic() < end and not stopped:
        plan, loss = trainer.step()
        now = time.monotonic()
        progress.seconds, last = progress.seconds + now - last, now
        log({"kind": plan.kind, "ratio": plan.ratio, "loss": round(loss, 4)})
        if now - validated > 60 * validate_minutes:
            validate()
            last = validated = time.monotonic()
        if now - saved > 60 * CHECKPOINT_MINUTES:
            trainer.save(folder / "checkpoint.pt")
            saved = now
    trainer.save(folder / "checkpoint.pt")
    if trainer.is_done:
        validate()
        trainer.save(folder / "checkpoint.pt")


if __name__ == "__main__":
    main()
