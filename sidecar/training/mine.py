"""
Which of a sample's spans help, and how much: with the frozen model, what each span alone, as raw
text, takes from the NLL of the target (UniICL's mining). Resumable; the selection loss trains on it
and evaluation judges rankings by it.

    python -m training.mine --split train --minutes 30
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.backbone import Backbone, add_running_flags, open_running
from training.losses import Pair, nll
from training.packages import SIZES
from training.paths import data_folder
from training.prompt import raw_prompt, target_logits
from training.store import CONTINUATION, Dataset

LEAST_SPANS = 4
SAVED_EVERY = 20
QUERY_TOKENS = 256


@dataclass
class Mined:
    """Nats that every span of a sample saves, by the sample's index."""

    gains: dict[int, np.ndarray]

    @staticmethod
    def load(path: Path) -> "Mined":
        if not path.exists():
            return Mined({})
        with np.load(path) as arrays:
            return Mined({int(name): arrays[name] for name in arrays})

    def save(self, path: Path) -> None:
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(partial, **{str(index): gains for index, gains in self.gains.items()})
        partial.replace(path)

    def useful(self) -> list[int]:
        """Samples that some span helps."""
        return [index for index, gains in self.gains.items() if gains.max() > 0]


def mined_path(folder: Path, split: str) -> Path:
    return folder / f"{split}.mined.npz"


@torch.no_grad()
def gains_of(backbone: Backbone, dataset: Dataset, index: int) -> np.ndarray:
    sample = dataset[index]
    device = backbone.device
    text = torch.from_numpy(np.concatenate([sample.near, sample.target])).to(device)
    target = torch.from_numpy(sample.target).to(device)
    spans = [torch.from_numpy(each).to(device) for each in sample.far]
    prompts = [raw_prompt(backbone, span, text) for span in (text[:0], *spans)]
    logits = target_logits(backbone, prompts, [len(target)] * len(prompts)).split(len(target))
    losses = [nll(each, target).sum().item() for each in logits]
    return losses[0] - np.array(losses[1:], dtype=np.float32)


def pair_of(dataset: Dataset, mined: Mined, index: int, device: torch.device) -> Pair:
    sample, gains = dataset[index], mined.gains[index]
    query, best, worst = (
        torch.from_numpy(each).to(device)
        for each in (sample.near[-QUERY_TOKENS:], sample.far[gains.argmax()], sample.far[gains.argmin()])
    )
    return Pair(query, best, worst)


def mine(backbone: Backbone, dataset: Dataset, path: Path, minutes: float) -> Mined:
    mined = Mined.load(path)
    end = time.monotonic() + 60 * minutes
    for index in range(len(dataset)):
        sample = dataset[index]
        if index in mined.gains or sample.kind != CONTINUATION or len(sample.far) < LEAST_SPANS:
            continue
        if time.monotonic() > end:
            break
        mined.gains[index] = gains_of(backbone, dataset, index)
        if len(mined.gains) % SAVED_EVERY == 0:
            mined.save(path)
    mined.save(path)
    return mined


def main() -> None:
    parser = argparse.ArgumentParser(prog="training.mine", description="find which spans help")
    add_running_flags(parser)
    parser.add_argument("--size", choices=SIZES, default="cpu")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument("--minutes", type=float, default=10)
    flags = parser.parse_args()
    folder = data_folder(flags.backbone, flags.size)
    dataset = Dataset(folder / f"{flags.split}.npz")
    backbone = open_running(flags)
    mined = mine(backbone, dataset, mined_path(folder, flags.split), flags.minutes)
    print(f"{len(mined.gains)} samples mined, a span helps in {len(mined.useful())}")


if __name__ == "__main__":
    main()
