# Golden logits by a forward pass that shares nothing with Pith: weights dequantised by gguf-py, ids by
# plain byte-pair merging, the architecture in plain PyTorch and float64. README.md has the command.
import json
import pathlib
import sys

import numpy
import regex
import torch
from gguf import GGUFReader
from gguf.quants import dequantize

FOLDER = pathlib.Path(__file__).parent
TEXTS = ["python", "typescript", "prose"]
BEST = 20  # logits kept a position
torch.set_default_dtype(torch.float64)


def main(model_id, path):
    reader = GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    encode = make_encoder(fields)
    for name in TEXTS:
        text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        ids = encode(text)
        logits = forward(fields, tensors, ids)
        golden = {"model": model_id, "text": name, "ids": ids, **summary(logits, ids)}
        write(FOLDER / f"{model_id}.{name}.json", golden)
        print(model_id, name, len(ids), "tokens, mean NLL", numpy.mean(golden["nll"]))


def summary(logits, ids):
    """Per position: log-sum-exp, the best logits with their ids, NLL of the next id (one fewer)."""
    log_sum_exp = torch.logsumexp(logits, dim=-1)
    best = torch.topk(logits, BEST, dim=-1)
    following = torch.tensor(ids[1:])
    nll = log_sum_exp[:-1] - logits[:-1].gather(1, following[:, None])[:, 0]
    return {
        "logSumExp": rounded(log_sum_exp),
        "nll": rounded(nll),
        "bestIds": best.indices.tolist(),
        "bestLogits": [rounded(row) for row in best.values],
    }


def forward(fields, tensors, ids):
    """Logits [tokens, vocabulary] of the llama or qwen2 architecture."""
    architecture = fields["general.architecture"]
    value = lambda key: fields[f"{architecture}.{key}"]
    weight = lambda name: load(tensors[name])
    heads = value("attention.head_count")
    kv_heads = value("attention.head_count_kv")
    epsilon = value("attention.layer_norm_rms_epsilon")
    norm = lambda x, name: x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * weight(name)
    bias = lambda name: weight(name) if name in tensors else 0.0

    table = weight("token_embd.weight")
    head_table = weight("output.weight") if "output.weight" in tensors else table
    x = table[ids]  # [tokens, hidden]
    size = x.shape[1] // heads
    cosine, sine = rotation(len(ids), size, value("rope.freq_base"))
    # llama files have the rows of Q and K permuted so that neighbours are a pair.
    rotate = rotate_neighbours if architecture == "llama" else rotate_halves
    mask = torch.full((len(ids), len(ids)), -torch.inf).triu(1)

    for layer in range(value("block_count")):
        at = lambda part: f"blk.{layer}.{part}"
        n = norm(x, at("attn_norm.weight"))
        project = lambda part, count: (
            (n @ weight(at(f"attn_{part}.weight")).T + bias(at(f"attn_{part}.bias")))
            .view(len(ids), count, size)
            .transpose(0, 1)
        )  # [heads, tokens, size]
        q = rotate(project("q", heads), cosine, sine)
        k = rotate(project("k", kv_heads), cosine, sine).repeat_interleave(heads // kv_heads, 0)
        v = project("v", kv_heads).repeat_interleave(heads // kv_heads, 0)
        attention = torch.softmax(q @ k.transpose(1, 2) / size**0.5 + mask, dim=-1)
        mixed = (attention @ v).transpose(0, 1).reshape(len(ids), -1)
        x = x + mixed @ weight(at("attn_output.weight")).T
        n = norm(x, at("ffn_norm.weight"))
        gate = torch.nn.functional.silu(n @ weight(at("ffn_gate.weight")).T)
        x = x + (gate * (n @ weight(at("ffn_up.weight")).T)) @ weight(at("ffn_down.weight")).T
    return norm(x, "output_norm.weight") @ head_table.T


def load(tensor):
    values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float64)
    return torch.from_numpy(values.reshape(tuple(reversed(tensor.shape.tolist()))))


def rotation(length, size, base):
    """Cosines and sines [tokens, size / 2]."""
    frequencies = base ** (-torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies)
    return torch.cos(angles), torch.sin(angles)


def rotate_neighbours(x, cosine, sine):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cosine - b * sine, a * sine + b * cosine), -1).flatten(-2)


def rotate_halves(x, cosine, sine):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cosine - b * sine, a * sine + b * cosine), -1)


def make_encoder(fields):
    """Byte-level BPE by its definition: the earliest merge of the list that fits, until none does."""
    ids = {token: id for id, token in enumerate(fields["tokenizer.ggml.tokens"])}
    ranks = {merge: rank for rank, merge in enumerate(fields["tokenizer.ggml.merges"])}
    alphabet = byte_alphabet()

    def merge(parts):
        while True:
            pairs = [" ".join(pair) for pair in zip(parts, parts[1:])]
            best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)), default="")
            if best not in ranks:
                return parts
            at = pairs.index(best)
            parts = parts[:at] + [parts[at] + parts[at + 1]] + parts[at + 2 :]

    def encode(text):
        pieces = [text]
        for pattern in PATTERNS[fields["tokenizer.ggml.pre"]]:
            pieces = [part for piece in pieces for part in split(pattern, piece)]
        parts = [merge([alphabet[byte] for byte in piece.encode()]) for piece in pieces]
        return [ids[part] for piece in parts for part in piece]

    return encode


# llama.cpp's LLAMA_VOCAB_PRE_TYPE_SMOLLM (two cuts) and LLAMA_VOCAB_PRE_TYPE_QWEN2.
PATTERNS = {
    "smollm": [
        r"\p{N}",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    ],
    "qwen2": [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ],
}


def split(pattern, text):
    """Matches and what lies between them, in order."""
    start, pieces = 0, []
    for match in regex.finditer(pattern, text):
        pieces += [text[start : match.start()], match.group()]
        start = match.end()
    return [piece for piece in pieces + [text[start:]] if piece]


def byte_alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def rounded(values):
    return [round(value, 5) for value in values.tolist()]


def write(path, golden):
    """A key a line, so that a change shows where it is."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main(*sys.argv[1:])
