import re
import tempfile
import unittest
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from training.adapter import ARMS, LORA_PARTS, Adapter, slug
from training.export import load_tensors, make_golden, write_adapter
from training.paths import adapters
from training.tests.test_model import stirred
from training.tests.tiny import tiny_backbone

backbone = tiny_backbone()


class Export(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_an_adapter_read_back_makes_the_same_virtual_tokens(self):
        piece = torch.arange(2, 62)
        for arm in ARMS:
            adapter, again = stirred(arm), Adapter(arm, backbone, seed=2)
            path = self.folder / f"{slug(arm)}.safetensors"
            write_adapter(adapter, backbone, path, {})
            load_tensors(again, load_file(path))
            (wanted,), (found,) = (each.compress(backbone, [piece], 4) for each in (adapter, again))
            cosine = torch.cosine_similarity(wanted, found, dim=-1)
            self.assertGreater(cosine.min().item(), 0.999)

    def test_the_file_has_what_the_format_names_and_nothing_else(self):
        page = adapters / "README.md"
        if page.exists():
            named = set(re.findall(r"^\| `([a-z_.]+)`", page.read_text(), re.M))
            self.assertTrue({"sep", "slot", "cont", "rec", "projection.weight", "norm.bias"} <= named)
        for arm in ARMS:
            path = self.folder / f"{slug(arm)}.safetensors"
            write_adapter(stirred(arm), backbone, path, {"tokens": "1"})
            with safe_open(path, "pt") as file:
                metadata, names = file.metadata(), set(file.keys())
            plain = {"sep", "cont", "rec", "projection.weight", "projection.bias", "norm.weight", "norm.bias"}
            plain |= {"slot"} if arm != "uni+ pool" else set()
            lora = {f"lora.{layer}.{part}.{side}" for layer in (0, 1) for part in LORA_PARTS for side in "ab"}
            self.assertEqual(names, plain | (lora if arm != "uni" else set()))
            self.assertEqual(metadata["arm"], arm)
            self.assertEqual(metadata["backbone_sha256"], backbone.sha256)
            self.assertEqual(metadata.get("lora_rank"), None if arm == "uni" else "16")

    def test_a_golden_holds_the_virtual_tokens_of_its_text(self):
        golden = make_golden(stirred("uni"), backbone)
        count = len(golden["ids"])
        for ratio, rows in golden["virtualTokens"].items():
            self.assertEqual((len(rows), len(rows[0])), (-(-count // int(ratio)), 32))


if __name__ == "__main__":
    unittest.main()
