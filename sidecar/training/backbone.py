"""The frozen model: the GGUF that the product runs, dequantised, with its tokenizer."""

import argparse
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from gguf import GGUFReader
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, Cache, PreTrainedModel

from training.attention import ATTENTION
from training.tokenizer import TextTokenizer

SINK_TEXT, SINK_TOKENS = "// Project context\n", 4  # sidecar/memory/kept-encoder.ts


@dataclass(frozen=True)
class BackboneFile:
    id: str
    file: str
    sha256: str


# As the product's catalogue has them.
BACKBONES = {
    each.id: each
    for each in (
        BackboneFile(
            "smollm2-135m",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        BackboneFile(
            "qwen2.5-coder-0.5b",
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
    )
}


@dataclass(frozen=True)
class Backbone:
    id: str
    sha256: str
    net: PreTrainedModel  # a decoder with .model, .lm_head and .config, as llama's and qwen2's
    tokenizer: TextTokenizer

    @property
    def hidden_size(self) -> int:
        return self.net.config.hidden_size

    @property
    def device(self) -> torch.device:
        return self.net.get_input_embeddings().weight.device

    @property
    def layers(self) -> nn.ModuleList:
        return self.net.model.layers

    def embed(self, ids: Tensor) -> Tensor:
        return self.net.get_input_embeddings()(ids)

    def run(
        self,
        embeds: Tensor,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """
        States after the final norm: [batch, rows, hidden] of embeds of that shape.
        `mask` bool [batch, 1, rows, all rows], true where a row may look; default what is before it.
        `cache` takes the new rows; `positions` default to those from 0 on.
        """
        if positions is None:
            positions = torch.arange(embeds.shape[1], device=embeds.device)[None]
        return self.net.model(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def run_apart(self, embeds: Tensor, lengths: Sequence[int], masks: Sequence[Tensor]) -> Tensor:
        """
        The same, [rows, hidden], of texts that stand one behind the other in embeds of that shape and do
        not see each other: `lengths` rows each, from position 0, with a mask bool [length, length] each.
        """
        positions = torch.cat([torch.arange(length, device=embeds.device) for length in lengths])
        return self.net.model(
            inputs_embeds=embeds[None],
            position_ids=positions[None],
            use_cache=False,
            lengths=lengths,
            masks=masks,
        ).last_hidden_state[0]

    def logits(self, states: Tensor) -> Tensor:
        return self.net.lm_head(states).float()

    def sink_ids(self) -> list[int]:
        return self.tokenizer.encode(SINK_TEXT)[:SINK_TOKENS]


def models_folder() -> Path:
    """Pith's own on this platform, see sidecar/catalogue/home.ts; elsewhere set PITH_HOME."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("PITH_HOME") or Path(data) / "pith") / "models"


def find_file(backbone: str, gguf: Path | None) -> tuple[BackboneFile, Path]:
    """Raises ValueError for an unknown backbone or a file with another checksum."""
    if backbone not in BACKBONES:
        raise ValueError(f"backbone {backbone!r}, known are {', '.join(BACKBONES)}")
    known = BACKBONES[backbone]
    path = gguf or models_folder() / known.file
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known.sha256:
        raise ValueError(f"{path}: SHA-256 {found}, {backbone} has {known.sha256}")
    return known, path


def open_tokenizer(path: Path) -> TextTokenizer:
    fields = GGUFReader(path).fields
    tokens, types, merges, pre = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type", "merges", "pre")
    )
    return TextTokenizer(tokens, types, merges, pre)


def add_running_flags(parser: argparse.ArgumentParser) -> None:
    """Of the commands that run a model for long; `open_running` opens it as they say."""
    parser.add_argument("--backbone", choices=BACKBONES, default="smollm2-135m")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--bfloat16", action="store_true", help="on a CPU too: faster on processors with AMX")
    parser.add_argument("--gguf", type=Path, help="default: in Pith's models folder")


def open_running(flags: argparse.Namespace) -> Backbone:
    if flags.threads:
        torch.set_num_threads(flags.threads)
    return open_backbone(flags.backbone, flags.gguf, flags.bfloat16)


def open_backbone(backbone: str, gguf: Path | None = None, bfloat16: bool = False) -> Backbone:
    """On the GPU where there is one, in bfloat16 there; on a CPU in float32 unless asked otherwise."""
    known, path = find_file(backbone, gguf)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if bfloat16 or device == "cuda" else torch.float32
    net = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=dtype, attn_implementation=ATTENTION
    )
    net.requires_grad_(False)
    return Backbone(known.id, known.sha256, net.eval().to(device), open_tokenizer(path))
