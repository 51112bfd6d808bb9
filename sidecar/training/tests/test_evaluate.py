import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from training.evaluate import judge_selection, render, score_forms, summarise, table
from training.kept import KeptEncoder, score_kept
from training.losses import Task, task_of
from training.metrics import Score, interval, kept_share, score
from training.forms import raw_form
from training.mine import Mined
from training.rankings import Lexical, by_cosine, is_hit
from training.store import Sample
from training.tests.test_model import ids, stirred
from training.tests.tiny import tiny_backbone, tiny_dataset

backbone = tiny_backbone()


class Table(unittest.TestCase):
    def test_every_form_and_arm_has_a_row_and_raw_keeps_everything(self):
        with tempfile.TemporaryDirectory() as folder:
            dataset = tiny_dataset(Path(folder) / "test.npz")
        tasks = [task_of(each, backbone.device, 1024) for each in list(dataset)[:3]]
        adapters = {"uni": stirred("uni"), "uni+ pool": stirred("uni+ pool")}
        columns = score_forms(backbone, tasks, adapters, 2, with_kept=True)
        forms = {name: summarise(columns, name) for name in columns}
        self.assertEqual(forms["raw"]["nll_share"], 1.0)
        self.assertEqual(forms["none"]["nll_share"], 0.0)
        for ratio in (4, 8, 12):
            self.assertEqual(forms[f"raw cut {ratio}x"]["positions"], forms[f"uni {ratio}x"]["positions"])
            self.assertLess(forms[f"kept {ratio}x"]["positions"], forms[f"uni {ratio}x"]["positions"])
        mined = Mined({index: np.array([0.5, -1, 2, 0]) for index in range(4)})
        selection = judge_selection(backbone, dataset, mined, adapters)
        self.assertEqual(selection["top"]["chance"]["hit"], 0.25)
        trained = {arm: {"step": 1, "tokens": 2, "seconds": 60.0} for arm in adapters}
        result = {"backbone": "tiny", "split": "test", "samples": 3, "trained": trained}
        page = render({**result, "forms": forms, "selection": selection})
        for name in forms:
            self.assertIn(f"| {name} ", page)

    def test_where_raw_text_gains_nothing_no_form_has_a_share_and_the_table_says_so(self):
        columns = {name: [Score(2.0, 1.0, 1.0, 4)] * 3 for name in ("none", "raw", "uni 4x")}
        forms = {name: summarise(columns, name) for name in columns}
        for row in table(forms, {})[-3:]:
            self.assertIn("raw gains nothing", row)

    def test_kept_shares(self):
        rows = np.array([[4.0, 2.0, 3.0], [6.0, 4.0, 5.0]])
        self.assertEqual(kept_share(rows), 0.5)
        self.assertEqual(interval(rows, kept_share), (0.5, 0.5))


class Kept(unittest.TestCase):
    def test_keeping_every_entry_of_one_piece_is_its_raw_text(self):
        # The piece stands where it was encoded, so nothing moves.
        task = Task([ids(20)], ids(8), ids(5))
        kept = score_kept(backbone, KeptEncoder(backbone), task, ratio=1)
        (raw,) = score(backbone, [task], raw_form(backbone))
        self.assertAlmostEqual(kept.nll, raw.nll, places=3)
        self.assertEqual((kept.exact, kept.positions), (raw.exact, 20))
        self.assertAlmostEqual(kept.similarity, raw.similarity)

    def test_a_moved_block_is_the_block_computed_there(self):
        encoder = KeptEncoder(backbone)
        own, importance = encoder._encode(ids(10))
        moved = encoder._keep(own, importance, 10, position=50)
        back = encoder._keep(moved, importance, 10, position=4 - (50 - 4))
        for (keys, _), (wanted, _) in zip(back, own):
            torch.testing.assert_close(keys, wanted, atol=1e-4, rtol=1e-4)


class Rankings(unittest.TestCase):
    def sample(self) -> Sample:
        texts = ["alpha beta gamma", "delta alpha other words", "nothing"]
        far = [np.array(backbone.tokenizer.encode(each)) for each in texts]
        near = np.array(backbone.tokenizer.encode("alpha beta gamma delta"))
        return Sample(far, 0, near, near, 0)

    def test_lexical_rankings_put_the_likest_first(self):
        lexical = Lexical(backbone, [self.sample()])
        for scores in (lexical.jaccard(self.sample()), lexical.bm25(self.sample())):
            self.assertEqual(int(np.argmax(scores)), 0)
            self.assertEqual(scores[2], 0)

    def test_hits(self):
        self.assertEqual(is_hit([1, 3, 2], [0, 5, 1]), 1.0)
        self.assertEqual(is_hit([3, 3, 2], [0, 5, 1]), 0.5)
        self.assertEqual(is_hit([3, 1, 2], [0, 5, 1]), 0.0)

    def test_equal_spans_have_collapsed(self):
        sample = self.sample()
        same = Sample([sample.far[0]] * 3, 0, sample.near, sample.target, 0)
        _, alike = by_cosine(backbone, stirred("uni+ pool"), same, 4)
        self.assertAlmostEqual(alike, 1.0, places=4)


if __name__ == "__main__":
    unittest.main()
