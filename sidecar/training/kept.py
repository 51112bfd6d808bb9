"""The kept form, plainly: the entries of a span's own cache that the model needs to
repeat it, all lines alike (the product weighs those of the outline, sidecar/memory/outline.ts).
Evaluation shows it beside the embedded form. A cache is a list over layers of (keys,
values), each [1, kv heads, rows, head size], keys rotated."""

import copy

import torch
from torch import Tensor
from transformers import DynamicCache

from training.adapter import count_of
from training.attention import ATTENTION
from training.backbone import Backbone
from training.losses import Task, nll
from training.metrics import LINE_TOKENS, Score, has_line, judge

REPEAT_TEXT = "\n\n// the same again\n\n"  # sidecar/memory/kept-encoder.ts

Layers = list[tuple[Tensor, Tensor]]


class KeptEncoder:
    """Needs attention probabilities, so it switches the model to its eager attention while encoding."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        config = backbone.net.config
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._sink = torch.tensor(backbone.sink_ids(), device=backbone.device)
        self.sink_layers = self._run(self._sink, [], 0)[0]
        self._marker = torch.tensor(backbone.tokenizer.encode(REPEAT_TEXT), device=backbone.device)

    @torch.no_grad()
    def blocks(self, pieces: list[Tensor], ratio: int) -> Layers:
        """The sink and the kept entries of every piece, at consecutive positions."""
        joined = self.sink_layers
        for piece in pieces:
            kept = self._keep(*self._encode(piece), count_of(len(piece), ratio), joined[0][0].shape[2])
            joined = [tuple(torch.cat(pair, 2) for pair in zip(old, new)) for old, new in zip(joined, kept)]
        return joined

    def _run(self, ids: Tensor, layers: Layers, position: int) -> tuple[Layers, list[Tensor]]:
        """Layers behind the run, and its attention per layer [heads, rows, all rows]."""
        cache = cache_of(layers)
        net = self._backbone.net
        net.set_attn_implementation("eager")
        out = net.model(
            input_ids=ids[None],
            past_key_values=cache,
            use_cache=True,
            output_attentions=True,
            position_ids=torch.arange(position, position + len(ids), device=ids.device)[None],
        )
        net.set_attn_implementation(ATTENTION)
        return layers_of(cache), [each[0] for each in out.attentions]

    def _encode(self, piece: Tensor) -> tuple[Layers, list[Tensor]]:
        """A piece's own entries, and the importance of each per layer [kv heads, rows]."""
        start, count = len(self._sink), len(piece)
        full, _ = self._run(piece, self.sink_layers, start)
        again = torch.cat([self._marker, piece])
        _, attention = self._run(again, full, start + count)
        own, importance = [], []
        for layer, (keys, values), seen in zip(self._backbone.layers, full, attention):
            keys, values = keys[:, :, start:], values[:, :, start : start + count]
            received = seen[:, len(self._marker) :, start : start + count].float().mean(1)
            group = self._heads // self._kv_heads
            project = layer.self_attn.o_proj.weight.view(-1, self._kv_heads, group, values.shape[-1])
            says = torch.einsum("hnd,ohgd->hgno", values[0], project).float().norm(dim=-1).mean(1)
            own.append((keys[:, :, :count], values))
            importance.append(received.view(self._kv_heads, group, count).mean(1) * says)
        return own, importance

    def _keep(self, own: Layers, importance: list[Tensor], count: int, position: int) -> Layers:
        kept = []
        for (keys, values), scores in zip(own, importance):
            index = scores.topk(count, -1).indices.sort(-1).values
            gather = index[None, :, :, None].expand(1, -1, -1, keys.shape[-1])
            places = torch.arange(position, position + count, device=index.device)
            moved = self._rotate(keys.gather(2, gather), places - (len(self._sink) + index)[None])
            kept.append((moved, values.gather(2, gather)))
        return kept

    def _rotate(self, keys: Tensor, distance: Tensor) -> Tensor:
        """Moves keys [1, kv heads, rows, head size] by so many positions [1, kv heads, rows]."""
        frequencies = self._backbone.net.model.rotary_emb.inv_freq
        angle = (distance[..., None] * frequencies).repeat(1, 1, 1, 2)
        half = keys.shape[-1] // 2
        swapped = torch.cat([-keys[..., half:], keys[..., :half]], -1)
        return (keys * angle.cos() + swapped * angle.sin()).to(keys.dtype)


def cache_of(layers: Layers) -> DynamicCache:
    cache = DynamicCache()
    for index, (keys, values) in enumerate(layers):
        cache.update(keys.clone(), values.clone(), index)
    return cache


def layers_of(cache: DynamicCache) -> Layers:
    return [(layer.keys, layer.values) for layer in cache.layers]


@torch.no_grad()
def score_kept(backbone: Backbone, encoder: KeptEncoder, task: Task, ratio: int) -> Score:
    """Of a line, see metrics.line_tasks."""
    layers = encoder.blocks(task.far, ratio)
    start = layers[0][0].shape[2]

    def logits_behind(cache: DynamicCache, ids: Tensor, position: int) -> Tensor:
        positions = torch.arange(position, position + len(ids), device=ids.device)[None]
        return backbone.logits(backbone.run(backbone.embed(ids)[None], cache=cache, positions=positions)[0])

    cache, behind = cache_of(layers), start + len(task.near)
    logits = logits_behind(cache, task.near, start)[-1:]
    answer = [int(logits.argmax())]
    if len(task.target) > 1:
        further = logits_behind(copy.deepcopy(cache), task.target[:-1], behind)
        logits = torch.cat([logits, further])
    loss = nll(logits, task.target).sum().item()
    while len(answer) < LINE_TOKENS and not has_line(backbone.tokenizer, answer):
        ids = torch.tensor(answer[-1:], device=backbone.device)
        answer.append(int(logits_behind(cache, ids, behind + len(answer) - 1)[-1].argmax()))
    positions = start - len(backbone.sink_ids())
    return judge(backbone.tokenizer, task.target.tolist(), answer, loss, positions)
