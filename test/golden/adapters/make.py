"""
Makes the goldens of this folder: adapters of the tiny models of test/support/tiny-gguf.ts with random
weights, and the virtual tokens that PyTorch computes with them from the dequantised weights.

    cd sidecar && ../.cache/venv/bin/python ../test/golden/adapters/make.py
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

folder = Path(__file__).parent
root = folder.parents[2]
sys.path.insert(0, str(root / "sidecar"))

from training.adapter import Adapter, slug  # noqa: E402
from training.backbone import Backbone, open_tokenizer  # noqa: E402
from training.export import load_tensors, make_golden, write_adapter  # noqa: E402

CASES = (("llama", "uni+ slots"), ("qwen2", "uni+ pool"))
WRITE_TINY = """
import { writeFileSync } from "node:fs";
import { makeTinyGguf } from "./test/support/tiny-gguf.ts";
const [path, architecture] = process.argv.slice(2);
writeFileSync(path, makeTinyGguf({ architecture }).bytes);
"""


def write_tiny(architecture: str, path: Path) -> None:
    bundle = path.with_suffix(".mjs")
    esbuild = ["npx", "esbuild", "--bundle", "--platform=node", "--format=esm", "--loader=ts", f"--outfile={bundle}"]
    subprocess.run(esbuild, cwd=root, input=WRITE_TINY, text=True, check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["node", bundle, path, architecture], cwd=root, check=True)


def stir(adapter: Adapter) -> None:
    """Away from the start, where the projection is the identity and LoRA does nothing."""
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=random)


for architecture, arm in CASES:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "tiny.gguf"
        write_tiny(architecture, path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        net = AutoModelForCausalLM.from_pretrained(scratch, gguf_file=path.name, dtype=torch.float32)
        backbone = Backbone(f"tiny-{architecture}", sha256, net.eval().requires_grad_(False), open_tokenizer(path))
    adapter = Adapter(arm, backbone)
    stir(adapter)
    file = folder / f"{backbone.id}.{slug(arm)}.safetensors"
    write_adapter(adapter, backbone, file, {})
    load_tensors(adapter, load_file(file))
    file.with_suffix(".json").write_text(f"{json.dumps(make_golden(adapter, backbone))}\n")
    print(file.name, file.stat().st_size)
