"""
The kept-share table of a backbone: what far text is worth in every form, on lines of packages that
nothing was trained on; and how well the virtual tokens select.

    python -m training.evaluate --backbone smollm2-135m --arms "uni+ pool" --samples 200

Prints the table and writes it as JSON beside the runs.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from training.adapter import ARMS, RATIOS, Adapter, slug
from training.backbone import Backbone, add_running_flags, open_running
from training.export import load_run
from training.forms import cut_form, embedded_form, no_form, raw_form
from training.kept import KeptEncoder, score_kept
from training.losses import Task, task_of
from training.metrics import Score, interval, kept_share, line_tasks, score_all
from training.mine import Mined, mined_path
from training.packages import SIZES
from training.paths import data_folder, run_folder
from training.rankings import Lexical, by_cosine, is_hit
from training.store import CONTINUATION, Dataset

MEASURES = ("nll", "exact", "similarity")


def main() -> None:
    flags = parse_flags()
    data, runs = data_folder(flags.backbone, flags.size), run_folder(flags.backbone, flags.size, "")
    backbone = open_running(flags)
    dataset = Dataset(data / f"{flags.split}.npz")
    chosen = [each for each in dataset if each.kind == CONTINUATION][: flags.samples]
    tasks = [task_of(each, backbone.device, flags.far_tokens) for each in chosen]
    adapters, trained = {}, {}
    for arm in flags.arms:
        adapters[arm], trained[arm] = load_run(runs / slug(arm) / f"{flags.checkpoint}.pt", backbone)
    columns = score_forms(backbone, line_tasks(backbone.tokenizer, tasks), adapters, flags.batch, flags.kept)
    mined = Mined.load(mined_path(data, flags.split))
    result = {
        "backbone": backbone.id,
        "split": flags.split,
        "samples": len(tasks),
        "farTokens": flags.far_tokens,
        "trained": trained,
        "forms": {name: summarise(columns, name) for name in columns},
        "selection": judge_selection(backbone, dataset, mined, adapters),
    }
    print(render(result))
    path = runs / f"evaluation-{flags.split}.json"
    scores = {name: [asdict(each) for each in column] for name, column in columns.items()}
    path.write_text(json.dumps({**result, "scores": scores}) + "\n")
    print(path)


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training.evaluate", description="measure trained adapters")
    add_running_flags(parser)
    parser.add_argument("--arms", choices=ARMS, nargs="*", default=[])
    parser.add_argument("--size", choices=SIZES, default="cpu", help="of the data and the runs")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--checkpoint", choices=("best", "checkpoint"), default="best")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--far-tokens", type=int, default=1024, help="of a sample: all of its spans")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--kept", action="store_true", help="the kept form too, one sample at a time")
    return parser.parse_args()


def score_forms(
    backbone: Backbone, tasks: list[Task], adapters: dict[str, Adapter], batch: int, with_kept: bool
) -> dict[str, list[Score]]:
    """By the name of the form and its ratio."""
    forms = {"none": no_form(backbone), "raw": raw_form(backbone)}
    for ratio in RATIOS:
        forms[f"raw cut {ratio}x"] = cut_form(backbone, ratio)
        for arm, adapter in adapters.items():
            forms[f"{arm} {ratio}x"] = embedded_form(backbone, adapter, ratio)
    columns = {name: score_all(backbone, tasks, form, batch) for name, form in forms.items()}
    # What virtual tokens are worth whatever they say.
    exchanged = [Task(other.far, task.near, task.target) for task, other in zip(tasks, tasks[1:] + tasks[:1])]
    for arm, adapter in adapters.items():
        form = embedded_form(backbone, adapter, RATIOS[0])
        columns[f"{arm} {RATIOS[0]}x of another line"] = score_all(backbone, exchanged, form, batch)
    if with_kept:
        encoder = KeptEncoder(backbone)
        for ratio in RATIOS:
            columns[f"kept {ratio}x"] = [score_kept(backbone, encoder, task, ratio) for task in tasks]
    return columns


def summarise(columns: dict[str, list[Score]], name: str) -> dict[str, object]:
    """Means and, where raw gains, the share of it that the form keeps; all with their 95 % intervals."""
    summary: dict[str, object] = {"positions": float(np.mean([each.positions for each in columns[name]]))}
    for measure in MEASURES:
        rows = np.array([[getattr(each, measure) for each in columns[form]] for form in ("none", "raw", name)]).T
        summary[measure] = float(rows[:, 2].mean())
        summary[f"{measure}_95"] = interval(rows[:, 2], lambda drawn: float(drawn.mean()))
        none, raw, _ = rows.mean(0)
        if none != raw:
            summary[f"{measure}_share"] = kept_share(rows)
            summary[f"{measure}_share_95"] = interval(rows, kept_share)
    return summary


def judge_selection(
    backbone: Backbone, dataset: Dataset, mined: Mined, adapters: dict[str, Adapter], ratio: int = 4
) -> dict[str, object]:
    """How often each ranking has the most useful span first, over mined samples that a span helps."""
    useful = mined.useful()
    if not useful:
        return {"samples": 0}
    samples = [dataset[index] for index in useful]
    gains = [mined.gains[index].tolist() for index in useful]
    lexical = Lexical(backbone, samples)
    hits: dict[str, list[float]] = {
        "chance": [1 / len(each) for each in gains],
        "jaccard": [is_hit(lexical.jaccard(each), gain) for each, gain in zip(samples, gains)],
        "bm25": [is_hit(lexical.bm25(each), gain) for each, gain in zip(samples, gains)],
    }
    collapse = {}
    for arm, adapter in adapters.items():
        ranked = [by_cosine(backbone, adapter, each, ratio) for each in samples]
        hits[arm] = [is_hit(scores, gain) for (scores, _), gain in zip(ranked, gains)]
        collapse[arm] = float(np.mean([alike for _, alike in ranked]))
    top = {
        name: {"hit": float(np.mean(each)), "hit_95": interval(np.array(each), lambda drawn: float(drawn.mean()))}
        for name, each in hits.items()
    }
    return {"samples": len(samples), "top": top, "mean_cosine": collapse}


def render(result: dict) -> str:
    head = f"{result['backbone']}, {result['samples']} lines of the {result['split']} packages"
    told = [
        f"{arm}: {each['step']} steps, {each['tokens']} tokens, {each['seconds'] / 60:.0f} minutes"
        for arm, each in result["trained"].items()
    ]
    lines = [head, *told, "", *table(result["forms"], result["trained"])]
    selection = result["selection"]
    if selection["samples"]:
        lines += ["", f"most useful span first, of {selection['samples']} samples"]
        lines += [f"  {name}: {percent(each['hit'], each['hit_95'])}" for name, each in selection["top"].items()]
        lines += [f"mean cosine of two spans, {arm}: {value:.3f}" for arm, value in selection["mean_cosine"].items()]
    return "\n".join(lines)


def table(forms: dict[str, dict], trained: dict[str, dict]) -> list[str]:
    rows = [("form", "tokens seen", "positions", "NLL", "kept share of NLL", "exact match", "edit similarity")]
    for name, each in forms.items():
        seen = [f"{run['tokens']:,}" for arm, run in trained.items() if name.startswith(f"{arm} ")]
        rows.append(
            (
                name,
                *(seen or [""]),
                f"{each['positions']:.0f}",
                f"{each['nll']:.2f}",
                percent(each["nll_share"], each["nll_share_95"]) if "nll_share" in each else "raw gains nothing",
                percent(each["exact"], each["exact_95"]),
                percent(each["similarity"], each["similarity_95"]),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]


def percent(value: float, bounds: Sequence[float]) -> str:
    return f"{100 * value:.1f} % ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})"


if __name__ == "__main__":
    main()
