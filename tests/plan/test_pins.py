"""What the outside world holds today."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.checkpoints.locate import licence, locate, locate_adapter
from harness.errors import AdapterError, DataError, HubError, ModelError, SuiteError, UnknownName
from harness.files import shipped
from harness.files.installed import versions
from harness.plan.pins import LIBRARIES, found_device, pins
from harness.suite.load import load_suite
from harness.tasks.metric_names import refuse_broken
from harness.types import Adapter, Model, ModelPin, Source, Suite, Task

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = [{"input": "A: hi", "reference": "A greets."}, {"input": "B: ho", "reference": "B greets."}]


def checkpoint(folder: Path, model_type: str = "mistral") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "tokenizer.json").write_text('{"model": {}, "added_tokens": []}')
    save_file({"w": np.zeros((3, 4), np.float32)}, folder / "model.safetensors")
    return folder


def adapter(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    save_file({"w": np.zeros((3, 4), np.float32)}, folder / "adapter_model.safetensors")
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    source = Source(uri=f"file:{tmp_path}")
    return Suite(
        name="small",
        tasks=(Task(name="chats", source=source, prompt="$input", metrics=("rouge",), primary="rougeL"),),
        models=(
            Model(name="mine", uri=f"file:{checkpoint(tmp_path / 'model')}"),
            Model(name="double", uri="echo:copy"),
        ),
        adapters=(Adapter(name="trained", base="mine", uri=f"file:{adapter(tmp_path / 'adapter')}"),),
    )


def test_a_small_suite_is_pinned(suite: Suite, tmp_path: Path) -> None:
    found = pins(suite, device="cpu", cache=tmp_path / "cache" / "digests.json")
    mine = found.models["mine"]
    assert (mine.parameters, mine.checkpoint_bytes, mine.dtype, mine.family) == (12, 48, "float32", "mistral")
    assert len(mine.revision) == 16
    assert found.models["double"].parameters is None
    assert found.test_samples == {"chats": 2}
    assert set(found.sources) == {"chats"}
    assert set(found.adapters) == {"trained"}


def test_pins_do_not_depend_on_where_things_lie(suite: Suite, tmp_path: Path) -> None:
    first = pins(suite, device="cpu", cache=tmp_path / "one.json")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "test.jsonl").rename(moved / "test.jsonl")
    (tmp_path / "model").rename(moved / "model")
    (task,), (mine, double) = suite.tasks, suite.models
    again = replace(
        suite,
        tasks=(replace(task, source=replace(task.source, uri=f"file:{moved}")),),
        models=(replace(mine, uri=f"file:{moved / 'model'}"), double),
    )
    assert pins(again, device="cpu", cache=tmp_path / "two.json") == first


def test_changed_data_and_weights_change_their_pins(suite: Suite, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    first = pins(suite, device="cpu", cache=cache)
    assert pins(suite, device="cpu", cache=cache) == first
    with (tmp_path / "test.jsonl").open("a") as file:
        file.write(json.dumps({"input": "C: hm", "reference": "C thinks."}) + "\n")
    save_file({"w": np.ones((3, 4), np.float32)}, tmp_path / "model" / "model.safetensors")
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
    second = pins(suite, device="cpu", cache=cache)
    assert second.test_samples == {"chats": 3}
    assert second.sources != first.sources
    assert second.adapters != first.adapters
    assert second.models["mine"].revision != first.models["mine"].revision
    assert second.models["double"] == first.models["double"]


def test_a_read_me_does_not_change_a_pin(suite: Suite, tmp_path: Path) -> None:
    first = pins(suite, device="cpu", cache=tmp_path / "digests.json")
    (tmp_path / "model" / "README.md").write_text("About it.")
    assert pins(suite, device="cpu", cache=tmp_path / "digests.json") == first


LARGE = 64_000_000  # bytes


@pytest.fixture
def large(suite: Suite, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Weights and data of some size, as old as those of a real checkpoint: the suite's model, adapter and test split."""
    weights = tmp_path / "model" / "model.safetensors"
    header = json.dumps({"w": {"dtype": "F32", "shape": [LARGE // 4], "data_offsets": [0, LARGE]}}).encode()
    with weights.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + LARGE)  # a hole: it takes no place on the disk
    data = tmp_path / "test.jsonl"
    data.write_text(
        "".join(json.dumps({"input": f"{n}" * 1_000, "reference": "r"}) + "\n" for n in range(1_000))
    )
    adapter = tmp_path / "adapter" / "adapter_model.safetensors"
    for path in (weights, data, adapter):
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    return weights, data, adapter


def read_so_far() -> int:
    """Bytes that this process has read, from any file."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts bytes as Linux does")
def test_a_second_plan_reads_no_weights_and_no_data(
    suite: Suite, tmp_path: Path, large: tuple[Path, Path, Path]
) -> None:
    cache = tmp_path / "digests.json"
    before = read_so_far()
    first = pins(suite, device="cpu", cache=cache)
    between = read_so_far()
    assert pins(suite, device="cpu", cache=cache) == first
    after = read_so_far()
    assert between - before > LARGE + large[1].stat().st_size > LARGE + 2_000_000
    assert after - between < 1_000_000  # what is remembered, and what installed packages say of themselves


def test_a_changed_byte_is_seen_by_the_files_time(
    suite: Suite, tmp_path: Path, large: tuple[Path, Path, Path]
) -> None:
    """In weights, data and adapters alike, nothing is read while size, time and inode are as they were."""
    cache = tmp_path / "digests.json"
    first = pins(suite, device="cpu", cache=cache)
    for path in large:
        with path.open("rb+") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"Q")
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    assert pins(suite, device="cpu", cache=cache) == first
    for path in large:
        os.utime(path, ns=(1_000_000_000, 2_000_000_000))
    second = pins(suite, device="cpu", cache=cache)
    assert second.sources != first.sources
    assert second.models["mine"].revision != first.models["mine"].revision
    assert second.adapters != first.adapters


@pytest.mark.parametrize("content", ["", "{broken", "[]", '{"unknown": {}}'])
def test_a_broken_cache_is_made_anew(suite: Suite, tmp_path: Path, content: str) -> None:
    cache = tmp_path / "digests.json"
    cache.write_text(content)
    assert pins(suite, device="cpu", cache=cache).test_samples == {"chats": 2}
    assert json.loads(cache.read_text())["samples"]


@pytest.mark.parametrize(
    ("asked", "device", "dtype"),
    [
        ("auto", "cpu", "float32"),
        ("auto", "cuda:1", "bfloat16"),
        ("float16", "cpu", "float16"),
        ("float32", "cuda", "float32"),
    ],
)
def test_the_dtype_is_said_aloud(suite: Suite, tmp_path: Path, asked: str, device: str, dtype: str) -> None:
    (mine, _) = suite.models
    asking = replace(suite, models=(replace(mine, dtype=asked),))  # type: ignore[arg-type]
    found = pins(asking, device=device, cache=tmp_path / "digests.json")
    assert found.models["mine"].dtype == dtype
    assert found.device == device.partition(":")[0]


def test_a_hidden_gpu_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert found_device() == "cpu"


def test_the_device_is_what_torch_finds() -> None:
    import torch

    assert found_device() == ("cuda" if torch.cuda.is_available() else "cpu")


def test_versions_are_those_of_the_packages() -> None:
    import peft
    import torch

    found = versions(LIBRARIES)
    assert (found["torch"], found["peft"]) == (torch.__version__, peft.__version__)
    assert "no-such-package" not in found


def test_an_own_family_wins_over_the_config(suite: Suite, tmp_path: Path) -> None:
    (mine, _) = suite.models
    found = pins(replace(suite, models=(replace(mine, family="falcon"),)), cache=tmp_path / "digests.json")
    assert found.models["mine"].family == "falcon"


def test_what_is_missing_is_named(suite: Suite, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    (tmp_path / "adapter" / "adapter_model.safetensors").rename(tmp_path / "adapter" / "adapter_model.bin")
    with pytest.raises(
        AdapterError, match=r"adapter 'trained': .*adapter_model\.bin, a pickle, .*harness convert"
    ):
        pins(suite, cache=cache)
    (tmp_path / "adapter" / "adapter_config.json").unlink()
    (tmp_path / "adapter" / "adapter_model.bin").unlink()
    with pytest.raises(AdapterError, match=r"adapter 'trained': .*found no adapter_config\.json"):
        pins(suite, cache=cache)
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"model 'mine': .*pytorch_model\.bin, a pickle, .*harness convert"):
        pins(suite, cache=cache)
    (tmp_path / "test.jsonl").rename(tmp_path / "tests.jsonl")
    (task,) = suite.tasks
    with pytest.raises(UnknownName, match=r"no file named 'test\.jsonl'; did you mean 'tests\.jsonl'"):
        pins(
            replace(suite, tasks=(replace(task, source=Source(uri=f"file:{tmp_path}/test.jsonl")),)),
            cache=cache,
        )


def test_data_is_checked_before_any_work(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"input": "x", "reference": ""}\n')
    with pytest.raises(DataError, match=r"train\.jsonl:1: column 'reference' is empty"):
        pins(suite, cache=tmp_path / "digests.json")


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model as the hub's client leaves it after a download."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--me--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return checkpoint(folder / "snapshots" / COMMIT, "falcon")


def test_offline_a_hub_model_is_pinned_from_the_cache(hub_cache: Path, tmp_path: Path, suite: Suite) -> None:
    model = Model(name="tiny", uri="hub:me/tiny")
    asking = replace(suite, models=(model,), adapters=())
    found = pins(asking, offline=True, device="cpu", cache=tmp_path / "digests.json")
    assert found.models["tiny"].revision == COMMIT
    assert (found.models["tiny"].parameters, found.models["tiny"].family) == (12, "falcon")
    assert locate(model, found.models["tiny"], offline=True) == hub_cache


def test_the_cards_licence_is_read_where_it_lies_and_moves_no_pin(
    hub_cache: Path, tmp_path: Path, suite: Suite
) -> None:
    near, far = Model(name="near", uri=f"file:{hub_cache}"), Model(name="far", uri="hub:me/tiny")

    def found() -> list[tuple[str | None, ModelPin]]:
        asking = replace(suite, models=(near, far), adapters=())
        pinned = pins(asking, cache=tmp_path / "pins.json", offline=True)
        return [
            (licence(model, pinned.models[model.name]), pinned.models[model.name]) for model in (near, far)
        ]

    before = found()
    assert [said for said, _ in before] == [None, None]
    for text, said in (
        ("---\nlicense: apache-2.0\n---\n# Tiny", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: llama2\n---\n", "llama2"),
        ("---\nlicense: [mit, cc-by-4.0]\n---\n", "mit, cc-by-4.0"),
        ("---\nlicense: 7\n---\n", None),
        ("---\n- license\n---\n", None),
        ("---\nlicense: [\n---\n", None),
        ("# no metadata", None),
    ):
        (hub_cache / "README.md").write_text(text)
        assert [(said, pin) for _, pin in before] == found()
    tiny = Model(name="tiny", uri="zoo:llama2-tiny")
    assert licence(tiny, before[0][1]) == "apache-2.0"
    assert licence(Model(name="e", uri="echo:copy"), before[0][1]) is None


def test_offline_an_adapter_is_found_in_the_cache(hub_cache: Path, suite: Suite, tmp_path: Path) -> None:
    existing = Adapter(name="far", base="mine", uri="hub:me/tiny")
    found = pins(replace(suite, adapters=(existing,)), offline=True, cache=tmp_path / "digests.json")
    assert found.adapters == {"far": COMMIT}
    assert locate_adapter(existing, COMMIT, offline=True) == hub_cache


def test_offline_a_model_that_was_never_fetched(suite: Suite, tmp_path: Path, hub_cache: Path) -> None:
    asking = replace(suite, models=(Model(name="big", uri="hub:me/big"),), adapters=())
    with pytest.raises(
        HubError, match="model 'big': hub:me/big: its default branch is not complete in the local cache"
    ):
        pins(asking, offline=True, cache=tmp_path / "digests.json")


def test_a_hub_model_of_pickles_is_refused(suite: Suite, tmp_path: Path, hub_cache: Path) -> None:
    (hub_cache / "model.safetensors").rename(hub_cache / "pytorch_model.bin")
    asking = replace(suite, models=(Model(name="tiny", uri="hub:me/tiny"),), adapters=())
    with pytest.raises(
        ModelError, match=r"model 'tiny': hub:me/tiny: found no safetensors, only pickles.*harness convert"
    ):
        pins(asking, offline=True, cache=tmp_path / "digests.json")


def test_local_models_are_where_they_are(suite: Suite, tmp_path: Path) -> None:
    found = pins(suite, cache=tmp_path / "digests.json")
    assert locate(suite.models[0], found.models["mine"]) == tmp_path / "model"
    tiny = Model(name="tiny", uri="zoo:llama2-tiny")
    assert locate(tiny, found.models["mine"]) == shipped.zoo_folder("llama2-tiny")
    assert locate_adapter(suite.adapters[0], None) == tmp_path / "adapter"


@pytest.mark.slow
def test_the_quickstart_is_pinned_without_anything_heavy(tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    found = pins(load_suite("quickstart"), device="cpu", offline=True, cache=cache)
    families = {name: pin.family for name, pin in found.models.items()}
    assert families == {
        "falcon-tiny": "falcon",
        "llama2-tiny": "llama",
        "mistral-tiny": "mistral",
        "flan-t5-tiny": "t5",
    }
    assert found.test_samples == {"dialogues": 400, "instructions": 400}
    program = (
        "import sys; from pathlib import Path; from harness.plan.pins import pins\n"
        "from harness.suite.load import load_suite\n"
        f"pins(load_suite('quickstart'), offline=True, cache=Path({str(cache)!r}))\n"
        "heavy = {'torch', 'transformers', 'datasets', 'huggingface_hub', 'pandas', 'pyarrow', 'scipy.stats'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("text", "line"), [("import os\nraise SystemExit(1", 2), ("x = 1\n\n  y = 2\n", 3)])
def test_a_metric_s_script_that_is_no_python_is_refused_without_being_run(
    suite: Suite, tmp_path: Path, text: str, line: int
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SuiteError, match=re.escape(f"{path}:{line}: ")):
        refuse_broken([path])
    metric = f"evaluate:{path}"
    task = replace(suite.tasks[0], metrics=("exact", metric), primary="exact")
    suite = replace(suite, tasks=(task,), models=(Model(name="e", uri="echo:copy"),), adapters=())
    with pytest.raises(SuiteError, match=re.escape(f"{path}:{line}: ")):
        pins(suite, device="cpu", offline=True, cache=tmp_path / "digests.json")
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    pins(suite, device="cpu", offline=True, cache=tmp_path / "digests.json")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("metric", ["mse", "pearson", "spearman"])
def test_a_metric_of_numbers_refuses_references_that_are_no_numbers_before_anything_runs(
    metric: str, tmp_path: Path
) -> None:
    (tmp_path / "test.jsonl").write_text(
        '{"input": "a", "reference": "1.5"}\n{"input": "b", "reference": "many"}\n'
    )
    (tmp_path / "suite.yaml").write_text(
        f"tasks: [{{name: t, source: {{uri: 'file:{tmp_path}'}}, prompt: $input, metrics: [{metric}], primary: {metric}}}]\n"
        "models: [{name: m, uri: 'echo:copy'}]\nweights: false\n"
    )
    suite = load_suite(str(tmp_path / "suite.yaml"))
    with pytest.raises(
        SuiteError,
        match=rf"test.jsonl:2: sample 'test-000002': the reference 'many' is not a number, which {metric} needs",
    ):
        pins(suite, cache=tmp_path / "digests.json")
