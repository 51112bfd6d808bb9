"""A tiny random model and tokenizer, and a package of made-up sources: nothing is downloaded."""

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM

from training.attention import ATTENTION
from training.backbone import Backbone
from training.packages import SourceFile
from training.store import Dataset, Writer
from training.tokenizer import CONTROL, NORMAL, TextTokenizer

# More threads than one only wait for each other at this size.
torch.set_num_threads(1)

CONTROLS = ["<|endoftext|>", "<|im_end|>"]
MIDDLES = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_sep|>"]


def tiny_tokenizer(with_middle: bool = False) -> TextTokenizer:
    controls = CONTROLS + MIDDLES * with_middle
    merges = ["Ġ Ġ", "ĠĠ Ġ", "Ċ ĠĠĠ", "r e", "re t"]
    ordinary = sorted(ByteLevel.alphabet()) + [merge.replace(" ", "") for merge in merges]
    types = [CONTROL] * len(controls) + [NORMAL] * len(ordinary)
    return TextTokenizer(controls + ordinary, types, merges, "qwen2" if with_middle else "smollm")


def tiny_backbone(seed: int = 1) -> Backbone:
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=tokenizer.vocabulary_size,
        max_position_embeddings=2048,
        initializer_range=0.3,
        attn_implementation=ATTENTION,
    )
    net = LlamaForCausalLM(config).eval().requires_grad_(False)
    return Backbone("tiny", "0" * 64, net, tokenizer)


NAMES = "alpha bravo candle delta ember falcon garnet harbor indigo jasper kernel lantern".split()


def tiny_sources() -> list[SourceFile]:
    """Every file defines a function, and calls the next file's, which no earlier line names."""
    files = []
    for index, name in enumerate(NAMES):
        other = NAMES[(index + 1) % len(NAMES)]
        text = "".join(
            f"export function {name}{part}Value(input: string) {{\n  const size = input.length;\n"
            f"  return size + {part};\n}}\n\n"
            for part in range(4)
        )
        text += f"function last() {{\n  const one = 1;\n  return {other}2Value('{name}');\n}}\n"
        text += "".join(f"register('{name}{part}', {part});\n" for part in range(3))
        files.append(SourceFile(f"src/{name}.ts", "typescript", text))
    return files


def tiny_dataset(path, count: int = 12) -> Dataset:
    """Samples of random ids, with three spans each."""
    random = torch.Generator().manual_seed(1)
    writer = Writer()

    def ids(length: int) -> list[int]:
        return torch.randint(2, 250, (length,), generator=random).tolist()

    for index in range(count):
        far = [writer.add_segment(ids(20 + index)) for _ in range(4)]
        writer.add_sample(far, index % 4, ids(12), ids(6), 0)
    writer.save(path, 300)
    return Dataset(path)
