"""Models in a GGUF file: read, dequantised once, asked, trained and weighed; refused by name where they are broken."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from huggingface_hub import constants
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.ggml import GGUF_CONFIG_MAPPING

import harness
from harness import results
from harness.checkpoints import gguf
from harness.errors import HarnessError, ModelError
from harness.neural.gguf import dequantise
from tests.checkpoints.tiny_gguf import vocabulary, write


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache of this test's own."""
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_1", "Q8_0", "F16", "F32"])
def test_size_and_bits_are_those_that_the_package_gguf_counts(tmp_path, kind):
    path = write(tmp_path / "x.gguf", kind)
    tensors = GGUFReader(path).tensors
    found = gguf.read(path)
    assert found.parameters == sum(int(tensor.n_elements) for tensor in tensors)
    assert found.stored_bytes == sum(int(tensor.n_bytes) for tensor in tensors)
    assert found.model_type == found.architecture == "llama"
    assert found.licence == "apache-2.0"
    assert found.quantization.startswith(kind)
    assert f"{found.bits_per_weight:.2f} bits" in found.sentence()


def test_the_copy_has_the_dequantised_numbers_and_answers_as_transformers_does(file, tmp_path):
    folder = dequantise(file, tmp_path / "copy")
    theirs = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "the cat in the hat, naïve\n\n"
    ids = tokenizer(text, return_tensors="pt").input_ids
    plain = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    assert ids.tolist() == [plain(text).input_ids]
    with torch.no_grad():
        assert torch.equal(ours(ids).logits, theirs(ids).logits)
    embedding = next(tensor for tensor in GGUFReader(file).tensors if tensor.name == "token_embd.weight")
    expected = dequantize(embedding.data, embedding.tensor_type).reshape(len(vocabulary()), -1)
    stored = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    assert stored.dtype == torch.float32
    np.testing.assert_array_equal(stored.numpy(), expected)


@pytest.mark.slow
def test_a_copy_is_made_once_and_says_what_it_was(file, tmp_path):
    target = tmp_path / "copies" / "tiny"
    code = (
        "import sys; from pathlib import Path; from harness.neural.gguf import dequantise\n"
        "dequantise(*map(Path, sys.argv[1:]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(file), str(target)]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert [path.name for path in target.parent.iterdir()] == ["tiny"]
    before = (target / "model.safetensors").stat()
    assert dequantise(file, target) == target
    assert (target / "model.safetensors").stat().st_mtime_ns == before.st_mtime_ns
    assert gguf.recorded(target) == gguf.read(file)
    assert len(gguf.recorded_digest(target)) == 64
    assert gguf.recorded(tmp_path) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.999))
def test_a_file_cut_anywhere_is_one_line(file, tmp_path, share):
    content = file.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError) as caught:
        gguf.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "fetch the file again" in str(caught.value)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 9_000), byte=st.integers(0, 255))
def test_a_spoilt_header_is_read_or_refused_and_nothing_else(file, tmp_path, at, byte):
    content = bytearray(file.read_bytes())
    content[at] = byte
    path = tmp_path / "spoilt.gguf"
    path.write_bytes(content)
    try:
        gguf.read(path)
    except ModelError as error:
        assert "\n" not in str(error)


def test_what_is_no_gguf_file_or_of_an_unknown_kind_is_refused_by_name(file, tmp_path):
    other = write(tmp_path / "other.gguf", architecture="starfish")
    with pytest.raises(
        ModelError, match=r"its architecture is 'starfish', which transformers cannot read .*llama"
    ):
        gguf.read(other)
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(ModelError, match=r"empty\.gguf: empty; fetch the file again"):
        gguf.read(tmp_path / "empty.gguf")
    for size in (4, 30, 5_000):
        (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:size])
        with pytest.raises(ModelError, match="broken: it ends inside its header"):
            gguf.read(tmp_path / "cut.gguf")
    text = tmp_path / "text.gguf"
    text.write_text("hello")
    with pytest.raises(ModelError, match="not a GGUF file: it begins with b'hell'"):
        gguf.read(text)
    with pytest.raises(ModelError, match=r"cannot be read \(No such file"):
        gguf.read(tmp_path / "none.gguf")
    field = GGUFReader(file).tensors[0].field
    content = bytearray(file.read_bytes())
    at = int(field.offset) + sum(int(part.nbytes) for part in field.parts[:4])  # after name and shape
    content[at : at + 4] = (250).to_bytes(4, "little")
    unknown = tmp_path / "unknown.gguf"
    unknown.write_bytes(content)
    with pytest.raises(ModelError, match="250 is not a valid GGMLQuantizationType"):
        gguf.read(unknown)


@pytest.mark.parametrize(
    "uri, said",
    [
        (
            "hub:me/tiny.gguf",
            "hub:me/tiny.gguf: names no file of a repository; write hub:OWNER/NAME/FILE.gguf",
        ),
        ("file:gone.gguf", "gone.gguf: no such file; name a file that ends in .gguf"),
    ],
)
def test_a_suite_with_a_wrong_uri_is_refused(tmp_path, monkeypatch, uri, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError) as caught:
        harness.run(_suite(tmp_path, uri), offline=True)
    assert said in str(caught.value)


def _suite(folder, uri, more=""):
    path = folder / "suite.yaml"
    path.write_text(
        f"tasks: [dialogues]\nmodels: [{{name: tiny, uri: '{uri}', chat: 'off'}}]\nlimit: 4\n{more}",
        encoding="utf-8",
    )
    return str(path)


@pytest.mark.slow
def test_a_run_asks_trains_and_weighs_it_and_says_what_it_was(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = (
        "recipes: [{name: short, rank: 2, alpha: 4, targets: [all-linear], steps: 2, batch_size: 2, learning_rate: 1e-3,\n"
        "           max_tokens: 1000, max_samples: 8, validation_samples: 4, validations: 1}]\ntrain_on: [dialogues]\n"
    )
    suite = _suite(tmp_path, f"file:{file}", recipe)
    harness.run(suite, offline=True)
    result = results.read("reports/out/suite")
    (model,) = result.suite.models
    assert model.stored == gguf.read(file).sentence()
    assert model.licence == "apache-2.0"
    assert {score.system.adapter for score in result.scores if score.system.base} == {None, "short"}
    assert result.weights
    (record,) = (tmp_path / ".harness" / "done").glob("*/adapter/harness.json")
    assert (
        json.loads(record.read_text())["gguf"]
        == gguf.recorded_digest(gguf.cached(model.revision))
        == model.revision
    )
    page = (tmp_path / "reports" / "out" / "suite" / "report.md").read_text(encoding="utf-8")
    assert "GGUF Q4_1" in page


def test_a_file_of_the_hub_is_found_in_its_cache(file, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    commit, cached = "0" * 40, tmp_path / "hub" / "models--me--tiny"
    (cached / "snapshots" / commit).mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    (cached / "snapshots" / commit / "tiny.gguf").write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    harness.run(_suite(tmp_path, "hub:me/tiny/tiny.gguf", "weights: false\n"), offline=True)
    result = results.read("reports/out/suite")
    assert result.suite.models[0].stored == gguf.read(file).sentence()


def test_another_file_than_the_plan_was_made_for_is_refused(file, tmp_path):
    with pytest.raises(ModelError, match="is another file than when the plan was made"):
        dequantise(file, tmp_path / "copy", "0" * 64)
    assert not (tmp_path / "copy").exists()


def test_the_architectures_are_those_that_transformers_reads():
    ours = {theirs: name for name, theirs in gguf._NAMES.items()}
    assert {ours.get(name, name) for name in GGUF_CONFIG_MAPPING} - {"general", "tokenizer"} == gguf.SUPPORTED


def test_a_file_of_the_hub_has_a_repository_and_a_path():
    assert gguf.on_the_hub("me/tiny/deep/x.gguf") == ("me/tiny", "deep/x.gguf")
