"""Makes blocks.json: random blocks of every tensor type Pith reads, dequantised by gguf-py.

Run as `python test/golden/blocks/make.py` from the repository root, with `gguf` and `numpy`.
"""

import base64
import json
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Where a block holds halves; random bytes there could be infinite or not a number.
HALVES = {"F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 4
FLOATS = 64


def main() -> None:
    random = np.random.default_rng(20261)
    cases = {name: make_case(random, name) for name in TYPES}
    path = pathlib.Path(__file__).with_name("blocks.json")
    path.write_text(json.dumps(cases, indent=1) + "\n")


def make_case(random: np.random.Generator, name: str) -> dict[str, object]:
    kind = GGMLQuantizationType[name]
    elements, size = GGML_QUANT_SIZES[kind]
    count = FLOATS if elements == 1 else BLOCKS
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    for offset in HALVES.get(name, []):
        # Signs, subnormals and large scales are all among them.
        values = random.normal(size=count) * 10.0 ** random.integers(-6, 3, count)
        blocks[:, offset : offset + 2] = values.astype("<f2").view(np.uint8).reshape(count, 2)
    if name == "F32":
        blocks = random.normal(size=count).astype("<f4").view(np.uint8)
    if name == "BF16":
        floats = random.normal(size=count).astype("<f4").view("<u4") >> 16
        blocks = floats.astype("<u2").view(np.uint8)
    data = blocks.reshape(-1)
    values = quants.dequantize(data.reshape(1, -1) if elements > 1 else as_floats(name, data), kind)
    return {
        "elementCount": count * elements,
        "bytes": base64.b64encode(data.tobytes()).decode(),
        "values": base64.b64encode(values.reshape(-1).astype("<f4").tobytes()).decode(),
    }


def as_floats(name: str, data: np.ndarray) -> np.ndarray:
    return data.view({"F32": "<f4", "F16": "<f2", "BF16": np.uint8}[name])


if __name__ == "__main__":
    main()
