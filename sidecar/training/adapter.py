"""
The trained part: text to virtual tokens, by the frozen model itself.

    uni          slots behind the text; SEP, the slot, the projection and its norm are trained
    uni+ slots   and LoRA on every matrix of the layers, which is on only while compressing
    uni+ pool    the same without slots: means over blocks of the text's own states
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.backbone import Backbone
from training.prompt import run_prompts, text_prompt

ARMS = ("uni", "uni+ slots", "uni+ pool")
RATIOS = (4, 8, 12)
LORA_RANK, LORA_SCALE = 16, 2.0  # alpha = 32
PIECE_TOKENS = 512
# Name in adapter files: attribute path within a layer of llama's and qwen2's decoders.
LORA_PARTS = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}


def slug(arm: str) -> str:
    return arm.replace("+ ", "-plus-")


def count_of(length: int, ratio: int) -> int:
    """Virtual tokens of a piece."""
    return max(1, -(-length // ratio))


class Adapter(nn.Module):
    def __init__(self, arm: str, backbone: Backbone, seed: int = 1) -> None:
        super().__init__()
        if arm not in ARMS:
            raise ValueError(f"arm {arm!r}, known are {', '.join(ARMS)}")
        self.arm = arm
        size = backbone.hidden_size
        table = backbone.net.get_input_embeddings().weight.float().cpu()
        random = torch.Generator().manual_seed(seed)
        self.register_buffer("row_rms", table.pow(2).mean(1).sqrt().mean())
        # Outside of the vocabulary, and not alike.
        start = table[backbone.tokenizer.untrained_ids].mean(0)

        def vector() -> nn.Parameter:
            return nn.Parameter(start + 0.1 * self.row_rms * torch.randn(size, generator=random))

        self.sep, self.cont, self.rec = vector(), vector(), vector()
        self.slot = None if arm == "uni+ pool" else vector()
        self.projection = nn.Linear(size, size)
        nn.init.eye_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)
        self.norm = nn.LayerNorm(size, eps=1e-5)
        self.lora = nn.ModuleDict()
        if arm != "uni":
            for name, linear in lora_targets(backbone):
                self.lora[name.replace(".", "_")] = LoraFactors(linear, random)
        self.to(backbone.device)

    def compress(self, backbone: Backbone, pieces: Sequence[Tensor], ratio: int) -> list[Tensor]:
        """Ids of pieces, each of at most PIECE_TOKENS -> virtual tokens [k, hidden] of each, float32."""
        counts = [count_of(len(piece), ratio) for piece in pieces]
        rows = []
        for piece, count in zip(pieces, counts):
            parts = [self.sep[None], backbone.embed(piece).float()]
            if self.slot is not None:
                parts.append(self.slot.expand(count, -1))
            rows.append(torch.cat(parts))
        with self.compressing(backbone):
            states = run_prompts(backbone, [text_prompt(each.to(backbone.net.dtype)) for each in rows])
        picked = [
            pool(state[1 : 1 + len(piece)].float(), count)
            if self.slot is None
            else state[1 + len(piece) : 1 + len(piece) + count]
            for state, piece, count in zip(states, pieces, counts)
        ]
        virtual = self.norm(self.projection(torch.cat(picked).float())) * self.row_rms
        return list(virtual.split(counts))

    @contextmanager
    def compressing(self, backbone: Backbone) -> Iterator[None]:
        """LoRA is on within; outside of it the model is untouched."""
        hooks = [
            linear.register_forward_hook(self.lora[name.replace(".", "_")].add_to)
            for name, linear in lora_targets(backbone)
            if len(self.lora) > 0
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class LoraFactors(nn.Module):
    """y + B A x, B at 0 in the beginning."""

    def __init__(self, linear: nn.Linear, random: torch.Generator) -> None:
        super().__init__()
        bound = linear.in_features**-0.5
        a = torch.empty(LORA_RANK, linear.in_features).uniform_(-bound, bound, generator=random)
        self.a = nn.Parameter(a)
        self.b = nn.Parameter(torch.zeros(linear.out_features, LORA_RANK))

    def add_to(self, _: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        (x,) = inputs
        low = nn.functional.linear(x, self.a.to(x.dtype))
        rows = torch.addmm(output.flatten(0, -2), low.flatten(0, -2), self.b.to(x.dtype).T, alpha=LORA_SCALE)
        return rows.view_as(output)


def lora_targets(backbone: Backbone) -> Iterator[tuple[str, nn.Linear]]:
    """`layer.part` and the matrix."""
    for index, layer in enumerate(backbone.layers):
        for part, path in LORA_PARTS.items():
            yield f"{index}.{part}", layer.get_submodule(path)


def pool(states: Tensor, count: int) -> Tensor:
    """Means of [rows, hidden] over `count` blocks, from floor(i n / k) up to floor((i + 1) n / k)."""
    borders = torch.arange(count + 1) * len(states) // count
    return torch.stack([states[start:end].mean(0) for start, end in borders.unfold(0, 2, 1).tolist()])
