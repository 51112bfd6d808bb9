"""
Writes the adapter of a run as sidecar/adapters/README.md has it, and a golden that a test of the
product replays: a text and its virtual tokens, computed with the numbers of the file.

    python -m training.export --arm "uni+ pool" --backbone smollm2-135m
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.adapter import ARMS, LORA_RANK, LORA_SCALE, RATIOS, Adapter, slug
from training.backbone import BACKBONES, Backbone, open_backbone
from training.packages import SIZES
from training.paths import adapters, root, run_folder

LARGEST_FILE = 20_000_000
GOLDEN_PATH = "src/shape.ts"
GOLDEN_TEXT = """\
export interface Shape {
  readonly width: number;
  readonly height: number;
}

export function areaOf({ width, height }: Shape): number {
  return width * height;
}
"""


def tensors_of(adapter: Adapter) -> dict[str, torch.Tensor]:
    """float16; the scale of the rows is part of the norm, LoRA's of b."""
    tensors = {
        "sep": adapter.sep,
        "cont": adapter.cont,
        "rec": adapter.rec,
        "projection.weight": adapter.projection.weight,
        "projection.bias": adapter.projection.bias,
        "norm.weight": adapter.norm.weight * adapter.row_rms,
        "norm.bias": adapter.norm.bias * adapter.row_rms,
    }
    if adapter.slot is not None:
        tensors["slot"] = adapter.slot
    for name, factors in adapter.lora.items():
        stem = f"lora.{name.replace('_', '.')}"
        tensors[f"{stem}.a"], tensors[f"{stem}.b"] = factors.a, factors.b * LORA_SCALE
    return {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in tensors.items()}


def load_tensors(adapter: Adapter, tensors: dict[str, torch.Tensor]) -> None:
    """The way back: the adapter computes with the numbers of the file."""
    state = adapter.state_dict()
    for name in state.keys() - {"row_rms"}:
        parts = name.split(".")
        if parts[0] == "lora":
            value = tensors[f"lora.{parts[1].replace('_', '.')}.{parts[2]}"].float()
            state[name] = value / LORA_SCALE if parts[2] == "b" else value
        else:
            value = tensors[name].float()
            state[name] = value / state["row_rms"].cpu() if parts[0] == "norm" else value
    adapter.load_state_dict(state)


def metadata_of(adapter: Adapter, backbone: Backbone) -> dict[str, str]:
    facts = {
        "format": "pith-adapter",
        "version": "1",
        "backbone": backbone.id,
        "backbone_sha256": backbone.sha256,
        "hidden_size": str(backbone.hidden_size),
        "arm": adapter.arm,
        "ratios": ",".join(map(str, RATIOS)),
    }
    return {**facts, "lora_rank": str(LORA_RANK)} if len(adapter.lora) else facts


def write_adapter(adapter: Adapter, backbone: Backbone, path: Path, told: dict[str, str]) -> None:
    """`told` is further metadata, for people. Raises ValueError for a file above LARGEST_FILE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors_of(adapter), path, {**metadata_of(adapter, backbone), **told})
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{path}: {size} bytes exceed {LARGEST_FILE}")


@torch.no_grad()
def make_golden(adapter: Adapter, backbone: Backbone) -> dict[str, object]:
    """`adapter` has the numbers of the file. Virtual tokens by ratio, rounded to float32's 7 digits."""
    tokenizer = backbone.tokenizer
    ids = [*tokenizer.header(GOLDEN_PATH), *tokenizer.encode(GOLDEN_TEXT)]
    piece = torch.tensor(ids, device=backbone.device)
    virtual = {str(ratio): adapter.compress(backbone, [piece], ratio)[0] for ratio in RATIOS}
    return {
        "backbone": backbone.id,
        "arm": adapter.arm,
        "path": GOLDEN_PATH,
        "text": GOLDEN_TEXT,
        "ids": ids,
        "virtualTokens": {
            ratio: [[float(f"{value:.6e}") for value in row] for row in rows.tolist()]
            for ratio, rows in virtual.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="training.export", description="write an adapter and its golden")
    parser.add_argument("--arm", choices=ARMS, required=True)
    parser.add_argument("--backbone", choices=BACKBONES, default="smollm2-135m")
    parser.add_argument("--size", choices=SIZES, default="cpu", help="of the data of the run")
    parser.add_argument("--checkpoint", choices=("best", "checkpoint"), default="best")
    parser.add_argument("--to", type=Path, help="folder; default sidecar/adapters and test/golden/adapters")
    parser.add_argument("--gguf", type=Path, help="default: in Pith's models folder")
    flags = parser.parse_args()
    backbone = open_backbone(flags.backbone, flags.gguf)
    folder = run_folder(flags.backbone, flags.size, slug(flags.arm))
    adapter, progress = load_run(folder / f"{flags.checkpoint}.pt", backbone)
    path = (flags.to or adapters) / backbone.id / f"{slug(flags.arm)}.safetensors"
    golden = (flags.to or root / "test" / "golden" / "adapters") / f"{backbone.id}.{slug(flags.arm)}.json"
    told = {"steps": str(progress["step"]), "tokens": str(progress["tokens"])}
    write_adapter(adapter, backbone, path, told)
    load_tensors(adapter, load_file(path))
    golden.parent.mkdir(parents=True, exist_ok=True)
    golden.write_text(f"{json.dumps(make_golden(adapter, backbone))}\n")
    print(f"{path} ({path.stat().st_size} bytes, {told['tokens']} tokens seen)\n{golden}")


def load_run(path: Path, backbone: Backbone) -> tuple[Adapter, dict[str, int]]:
    """The adapter of a checkpoint, and how far the run was."""
    state = torch.load(path, map_location=backbone.device, weights_only=True)
    adapter = Adapter(state["options"]["arm"], backbone)
    adapter.load_state_dict(state["adapter"])
    return adapter, state["progress"]


if __name__ == "__main__":
    main()
