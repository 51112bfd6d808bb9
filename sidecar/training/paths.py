"""Where training keeps its files: all below .cache/training of the repository, which git ignores."""

from pathlib import Path

root = Path(__file__).resolve().parents[2]
cache = root / ".cache" / "training"
adapters = root / "sidecar" / "adapters"


def data_folder(backbone: str, size: str) -> Path:
    return cache / "data" / backbone / size


def run_folder(backbone: str, size: str, run: str) -> Path:
    return cache / "runs" / backbone / size / run
