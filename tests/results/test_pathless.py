"""A copy for others has no absolute path of this machine, in any byte of any file."""

import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from harness import plugins
from harness.results.pathless import pathless, without_paths
from tests.cli.words import harness
from tests.report.leaks import unpacked

METRIC = '''
"""Percentage of answers with the letter."""
from harness.metrics import Metric

def metric(*, letter: str = "e") -> Metric:
    def row(sample, generation):
        return float(letter in generation.text), 1.0

    def value(total):
        return 100.0 * total[..., :1] / total[..., 1:]

    return Metric(names=("asks",), signature=f"asks|{letter}", unit="%", row=row, value=value)
'''
SUITE = """
tasks:
  - name: chats
    source: {uri: "file:SHARED DATA", columns: {id: id}, share: SHARE}
    prompt: "Say yes/no: $input"
    metrics: [exact, "./asks.py", {"./asks.py": {letter: x}}]
    primary: exact
models: [{name: first, uri: "echo:first-line"}, {name: bad, uri: "echo:crash-on-s3"}]
adapters: [{name: mine, base: first, uri: "./some adapter"}]
weights: false
gates: [{adapter: base, min_value: 1}, {model: first, max_drop: 1, adapter: base, against: HERE/kept.json}]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "SHARED DATA").mkdir()
    rows = [{"id": f"s{n}", "input": f"word {n}?", "reference": f"word {n}?"} for n in range(12)]
    (tmp_path / "SHARED DATA" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "asks.py").write_text(METRIC)
    (tmp_path / "some adapter").mkdir()
    (tmp_path / "some adapter" / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "r": 8, "lora_alpha": 16}'
    )
    (tmp_path / "some adapter" / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("share", ["text", "scores"])
def test_no_byte_of_a_copy_tells_where_its_result_lay(
    here: Path, capsys: pytest.CaptureFixture[str], share: str
) -> None:
    (here / "small.yaml").write_text(SUITE.replace("SHARE}", f"{share}}}").replace("HERE", str(here)))
    place = [f"--store={here}/store", "--out", f"{here}/deep/result"]
    done = harness(capsys, "run", str(here / "small.yaml"), "--workers", "0", "--device", "cpu", *place)
    assert done.code == 3, done.err  # of the model that crashes: its step names a log
    result = here / "deep" / "result"
    assert told(result, here)  # the search finds it where it is
    copied = harness(capsys, "report", str(result), "--shareable", "-o", str(here / "copy"), "--quiet")
    assert copied.code == 0, copied.err
    assert {"result.json", "rows.parquet", "report.html", "report.md"} <= {
        path.name for path in (here / "copy").iterdir()
    }
    assert told(here / "copy", here) == []
    document = json.loads((here / "copy" / "result.json").read_bytes())
    (task,) = document["suite"]["tasks"]
    assert task["source"] == "file:SHARED DATA"
    assert task["metrics"] == ["exact", "asks.py", "asks.py(letter=x)"]
    assert task["prompt"] == "Say yes/no: $input"
    assert document["suite"]["adapters"][0]["uri"] == "file:some adapter"
    assert document["suite"]["gates"][1]["against"] == "kept.json"
    assert harness(capsys, "report", str(here / "copy"), "--quiet").code == 0
    plugins.use(())  # as a process begins
    verified = harness(capsys, "verify", str(here / "copy"))
    assert (verified.code, "asks.py" in verified.out) == ((0, True) if share == "text" else (2, False))


def told(folder: Path, place: Path) -> list[str]:
    """The files in which the place stands, however it is written."""
    words = str(place)
    texts = {path: unpacked(path) for path in folder.rglob("*") if path.is_file()}
    return [
        path.name
        for path, text in texts.items()
        if any(words in form for form in (text, urllib.parse.unquote(text), text.replace("\\/", "/")))
    ]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("harness run /home/me/mine.yaml --out=/data/out", "harness run mine.yaml --out=out"),
        ("/home/me/data/a.py:3: no column", "a.py:3: no column"),
        ("log: /a/b/c.txt)", "log: c.txt)"),
        ("NAME=/a/b", "NAME=b"),
        ("evaluate:/a/b/asks.py", "evaluate:asks.py"),
        ("/a/b/asks.py(letter=x)", "asks.py(letter=x)"),
        ("the folder /a/b/ is", "the folder b is"),
        ("https://huggingface.co/google/flan-t5-base", "https://huggingface.co/google/flan-t5-base"),
        ("hub:google/flan-t5-base", "hub:google/flan-t5-base"),
        ("sqlite:///a/b", "sqlite:///a/b"),
        ("yes/no/maybe, 7 / 8 / 9, 100 %/s", "yes/no/maybe, 7 / 8 / 9, 100 %/s"),
        ("~/x/y and ./x/y and ../x/y", "~/x/y and ./x/y and ../x/y"),
        ("/20", "/20"),
    ],
)
def test_a_path_in_a_text_is_shortened_and_nothing_else(text: str, short: str) -> None:
    assert without_paths(text) == short
    assert without_paths(short) == short


def test_a_path_that_is_a_value_may_contain_blanks_wherever_else_it_stands() -> None:
    data: dict[str, Any] = {
        "uri": "file:/my home/the data",
        "short": "file:/data",
        "prompt": "/my home/the data",
        "said": ["read /my home/the data twice", 7, None],
    }
    assert pathless(data) == {
        "uri": "file:the data",
        "short": "file:data",
        "prompt": "/my home/the data",
        "said": ["read the data twice", 7, None],
    }
