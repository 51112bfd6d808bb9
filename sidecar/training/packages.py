"""The packages that training reads: a pinned list (packages.tsv), fetched by the ecosystems' own
clients and kept unpacked. Every package has a permissive licence and belongs to one split, and none
is a package of test/bench/cross-file-packages.ts, which judges what was trained."""

import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from training.paths import cache

SIZES = ("toy", "cpu", "full")
LICENCES = ("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC")
LANGUAGES = {
    ".ts": "typescript",
    ".tsx": "typescript",
    ".js": "javascript",
    ".mjs": "javascript",
    ".jsx": "javascript",
    ".py": "python",
    ".rs": "rust",
    ".go": "go",
}
# What people do not write by hand, copies of others' packages, and declarations of built files.
SKIPPED = re.compile(
    r"(^|/)(_?vendor(ed)?|_?vendored_packages|node_modules|dist|umd|cjs|_cjs|_types|locales?|fixtures)/"
    r"|\.d\.[cm]?ts$|\.min\.|(^|/)(generated|.*_pb2?)\."
)
FILE_CHARACTERS = (400, 100_000)


@dataclass(frozen=True)
class Package:
    size: str
    split: str
    ecosystem: str
    name: str
    version: str
    licence: str
    folder: str

    @property
    def id(self) -> str:
        return f"{self.ecosystem} {self.name} {self.version}"


@dataclass(frozen=True)
class SourceFile:
    path: str  # relative to the package's folder
    language: str
    text: str


def list_packages(size: str) -> list[Package]:
    """Those of `size` and of the smaller sizes."""
    sizes = SIZES[: SIZES.index(size) + 1]
    with open(Path(__file__).with_name("packages.tsv"), newline="") as table:
        rows = csv.DictReader(table, delimiter="\t")
        return [Package(**row) for row in rows if row["size"] in sizes]


def read_package(package: Package, cache_folder: Path = cache) -> list[SourceFile]:
    """The package's own sources in the order of their paths. Raises ValueError where there are none."""
    folder = fetch_package(package, cache_folder) / package.folder
    files = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        language = LANGUAGES.get(path.suffix)
        if language is None or SKIPPED.search(name) or not path.is_file():
            continue
        text = path.read_text("utf-8", errors="replace").replace("\r\n", "\n")
        if FILE_CHARACTERS[0] <= len(text) <= FILE_CHARACTERS[1] and "\ufffd" not in text:
            files.append(SourceFile(name, language, text))
    # Where TypeScript and what was compiled from it lie side by side, the source is enough.
    sources = {re.sub(r"\.tsx?$", "", each.path) for each in files if each.language == "typescript"}
    files = [each for each in files if re.sub(r"\.[cm]?jsx?$", "", each.path) not in sources]
    if not files:
        raise ValueError(f"{package.id}: no sources in {package.folder}")
    return files


def fetch_package(package: Package, cache_folder: Path = cache) -> Path:
    """The folder of the unpacked package, fetched unless it is there."""
    name = f"{package.ecosystem}-{package.name.replace('/', '-')}-{package.version}"
    folder = cache_folder / "packages" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            unpacked = CLIENTS[package.ecosystem](package, Path(scratch))
            licence = LICENCE_READERS[package.ecosystem](unpacked)
            check_licence(package, licence)
            (unpacked / "training-licence.txt").write_text(licence)
            shutil.move(unpacked, folder)
    return folder


def stated_licence(package: Package, cache_folder: Path = cache) -> str:
    """What the package itself says of its licence."""
    return (fetch_package(package, cache_folder) / "training-licence.txt").read_text()


def check_licence(package: Package, stated: str) -> None:
    """Raises ValueError unless the package itself names the licence of the list."""
    if package.licence not in LICENCES:
        raise ValueError(f"{package.id}: the licence {package.licence} is none of {LICENCES}")
    if not any(name in stated for name in (package.licence, SPOKEN_NAMES[package.licence])):
        raise ValueError(f"{package.id}: listed as {package.licence}, but says {stated[:80]!r}")


# As licence texts and older metadata have it.
SPOKEN_NAMES = {
    "MIT": "MIT",
    "Apache-2.0": "Apache",
    "BSD-2-Clause": "BSD",
    "BSD-3-Clause": "BSD",
    "ISC": "ISC",
}


def run(*command: str, folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def fetch_npm(package: Package, scratch: Path) -> Path:
    run("npm", "pack", "--silent", f"{package.name}@{package.version}", folder=scratch)
    (archive,) = scratch.glob("*.tgz")
    unpacked = scratch / "package"
    unpacked.mkdir()
    # Not every archive calls its one folder "package".
    run("tar", "-xzf", str(archive), "-C", str(unpacked), "--strip-components=1", folder=scratch)
    return unpacked


def fetch_pypi(package: Package, scratch: Path) -> Path:
    wanted = f"{package.name}=={package.version}"
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:")
    run(*pip, "--dest", ".", wanted, folder=scratch)
    (archive,) = scratch.glob("*.whl")
    unpacked = scratch / "package"
    with zipfile.ZipFile(archive) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".py") or "dist-info" in name]
        wheel.extractall(unpacked, names)
    return unpacked


def fetch_cargo(package: Package, scratch: Path) -> Path:
    (scratch / "src").mkdir()
    (scratch / "src" / "lib.rs").write_text("")
    (scratch / "Cargo.toml").write_text(
        '[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\n{package.name} = {{ version = "={package.version}", default-features = false }}\n'
    )
    told = json.loads(run("cargo", "metadata", "--format-version", "1", "-q", folder=scratch))
    (manifest,) = (each["manifest_path"] for each in told["packages"] if each["name"] == package.name)
    return Path(shutil.copytree(Path(manifest).parent, scratch / "package"))


def fetch_go(package: Package, scratch: Path) -> Path:
    told = run("go", "mod", "download", "-json", f"{package.name}@{package.version}", folder=scratch)
    unpacked = Path(shutil.copytree(json.loads(told)["Dir"], scratch / "package"))
    run("chmod", "-R", "u+w", ".", folder=unpacked)  # Go's module cache is read-only.
    return unpacked


def read_npm_licence(folder: Path) -> str:
    return str(json.loads((folder / "package.json").read_text("utf-8")).get("license"))


def read_pypi_licence(folder: Path) -> str:
    (metadata,) = folder.glob("*.dist-info/METADATA")
    fields = message_from_string(metadata.read_text("utf-8"))
    classifiers = [each for each in fields.get_all("Classifier", []) if "License" in each]
    stated = [fields.get("License-Expression"), fields.get("License"), *classifiers]
    return "; ".join(each for each in stated if each)


def read_cargo_licence(folder: Path) -> str:
    found = re.search(r'^license = "(.*)"', (folder / "Cargo.toml").read_text("utf-8"), re.M)
    return found[1] if found else ""


def read_go_licence(folder: Path) -> str:
    (licence, *_) = sorted(folder.glob("LICENSE*"))
    return licence.read_text("utf-8")[:200]


CLIENTS = {"npm": fetch_npm, "pypi": fetch_pypi, "cargo": fetch_cargo, "go": fetch_go}
LICENCE_READERS = {
    "npm": read_npm_licence,
    "pypi": read_pypi_licence,
    "cargo": read_cargo_licence,
    "go": read_go_licence,
}
