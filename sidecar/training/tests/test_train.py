import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from training.losses import continuation_loss, task_of
from training.mine import Mined, gains_of, mine
from training.tests.tiny import tiny_backbone, tiny_dataset
from training.train import Judge, train
from training.trainer import Options, Trainer, plan_step, rates_at

backbone = tiny_backbone()


def options(**changes) -> Options:
    given = {"arm": "uni+ slots", "steps": 8, "warm_up": 3, "batch": 2, "far_tokens": 64}
    return Options(**{**given, **changes})


class Training(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.dataset = tiny_dataset(self.folder / "train.npz")

    def trainer(self, mined: Mined = Mined({}), **changes) -> Trainer:
        return Trainer(backbone, self.dataset, mined, options(**changes))

    def test_the_loss_falls_on_what_is_trained(self):
        tasks = [task_of(sample, backbone.device, 64) for sample in self.dataset]
        for arm in ("uni", "uni+ slots", "uni+ pool"):
            trainer = self.trainer(arm=arm, steps=30, warm_up=4, batch=4)
            with torch.no_grad():
                before = continuation_loss(backbone, trainer.adapter, tasks, 8).item()
            while not trainer.is_done:
                trainer.step()
            with torch.no_grad():
                after = continuation_loss(backbone, trainer.adapter, tasks, 8).item()
            self.assertLess(after, before - 0.05, arm)

    def test_a_resumed_run_is_the_run_that_was_not_stopped(self):
        whole = self.trainer()
        for _ in range(8):
            whole.step()
        first = self.trainer()
        for _ in range(4):
            first.step()
        first.save(self.folder / "checkpoint.pt")
        second = self.trainer()
        second.load(self.folder / "checkpoint.pt")
        for _ in range(4):
            second.step()
        self.assertEqual(second.progress, whole.progress)
        for name, value in whole.adapter.state_dict().items():
            self.assertTrue(torch.equal(value, second.adapter.state_dict()[name]), name)

    def test_a_checkpoint_of_other_options_is_refused(self):
        self.trainer().save(self.folder / "checkpoint.pt")
        with self.assertRaisesRegex(ValueError, "made with"):
            self.trainer(arm="uni").load(self.folder / "checkpoint.pt")

    def test_the_warm_up_leaves_lora_alone(self):
        trainer = self.trainer()
        before = {name: value.clone() for name, value in trainer.adapter.state_dict().items()}
        for _ in range(3):
            self.assertEqual(trainer.step()[0].kind, "warm-up")
        after = trainer.adapter.state_dict()
        moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
        self.assertTrue({"slot", "projection"} <= moved)
        self.assertNotIn("lora", moved)

    def test_mining_resumes_and_selection_trains_on_it(self):
        path = self.folder / "train.mined.npz"
        mine(backbone, self.dataset, path, minutes=0)
        mined = mine(backbone, self.dataset, path, minutes=1)
        self.assertEqual(len(Mined.load(path).gains), len(self.dataset))
        np.testing.assert_allclose(mined.gains[3], gains_of(backbone, self.dataset, 3), rtol=1e-4)
        trainer = self.trainer(Mined({index: np.array([0.1, -1, 2, 0]) for index in range(12)}), steps=24)
        kinds = {trainer.step()[0].kind for _ in range(24)}
        self.assertEqual(kinds, {"warm-up", "continuation", "reconstruction", "selection"})

    def test_a_run_validates_before_it_starts_and_keeps_the_best(self):
        trainer = self.trainer()
        judge = Judge(backbone, self.dataset, options(), 3)
        train(trainer, judge, self.folder, end=float("inf"), validate_minutes=60)
        lines = [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]
        judged = [line["step"] for line in lines if "kept_share" in line]
        self.assertEqual(judged, [0, 8])
        self.assertTrue((self.folder / "best.pt").exists())
        self.assertTrue(self.trainer().load(self.folder / "checkpoint.pt") is None)


class Recipe(unittest.TestCase):
    def test_ratios_go_from_high_to_low(self):
        wanted = options(steps=3000, warm_up=0)
        ratios = np.array([plan_step(wanted, step, 12, []).ratio for step in range(3000)])
        self.assertEqual(set(ratios.tolist()), {4, 8, 12})
        self.assertGreater(ratios[:1000].mean(), ratios[-1000:].mean() + 1)

    def test_a_fifth_of_the_steps_reconstructs_unless_it_is_switched_off(self):
        def share(kind: str, **changes) -> float:
            wanted = options(steps=2000, warm_up=0, **changes)
            return np.mean([plan_step(wanted, step, 12, []).kind == kind for step in range(2000)])

        self.assertAlmostEqual(share("reconstruction"), 0.2, delta=0.03)
        self.assertEqual(share("continuation", with_reconstruction=False), 1.0)

    def test_rates_fall_to_nothing(self):
        wanted = options(steps=100, warm_up=10)
        self.assertEqual(rates_at(wanted, 0), (1e-3, 0.0))
        self.assertEqual(rates_at(wanted, 10), (5e-4, 2e-4))
        self.assertLess(rates_at(wanted, 99)[0], 1e-6)


if __name__ == "__main__":
    unittest.main()
