"""Suites with models on servers: checked, planned, run, continued and reported, without torch and without a shown key."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.backends import http
from harness.errors import SuiteError
from harness.servers import pauses
from harness.suite.load import load_suite
from tests.cli.words import harness, told_in_a_line
from tests.servers.stub import Body, Reply, Stub, answer, error, serving

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {id: id, input: dialogue, reference: summary}}
    prompt: "Sum up: $input"
    metrics: [rouge]
    primary: rougeL
    decode: {max_new_tokens: 8}
  - name: picks
    kind: choice
    source: {uri: "file:data", columns: {id: id, input: dialogue, reference: a, choices: [a, b]}}
    prompt: "Pick: $input"
    metrics: [accuracy]
    primary: accuracy
models:
  - name: served
    uri: BASE#base
    server: {key: STUB_KEY, at_once: 4, retries: 1, timeout: 5, prices: {input: 2.5, output: 10.0, currency: EUR}}
adapters:
  - {name: tuned, base: served, uri: BASE#tuned}
weights: false
"""
KEY = "sk-never-shown-42"
SAMPLES = 12


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("STUB_KEY", KEY)
    monkeypatch.setattr(pauses, "FIRST", 0.01)
    (tmp_path / "data").mkdir()
    rows = [
        {"id": f"s{n}", "dialogue": f"Ben says {n} hello", "summary": "red blue", "a": "red", "b": "blue"}
        for n in range(SAMPLES)
    ]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def write(here: Path, base: str, text: str = SUITE) -> None:
    (here / "small.yaml").write_text(text.replace("BASE", base))


@pytest.fixture
def served(here: Path) -> Iterator[Stub]:
    stub = Stub(key=KEY)
    with serving(stub) as base:
        write(here, base)
        yield stub


RUN = ("run", "small.yaml", "--out", "R", "--device", "cpu", "--workers", "0")


def answers(here: Path, name: str = "R") -> dict[tuple[str, str | None, str], str]:
    with gzip.open(here / name / "generations.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    return {(line["task"], line["adapter"], line["sample_id"]): line["text"] for line in lines}


def test_check_shows_the_handshake_and_offline_one_line(
    here: Path, served: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    unasked = harness(capsys, "check", "small.yaml", "--offline")
    assert unasked.code == 0
    assert unasked.out.count("model served: ") == 2
    assert "its server was not asked (--offline), so what it can do is not known" in unasked.out
    assert served.asked == []
    done = harness(capsys, "check", "small.yaml")
    assert done.code == 0, done.err
    assert "model served: log-probabilities: proved: a value for each token of a text, at most 0" in done.out
    assert "model served: repeats: proved: 3 of 3 prompts got the same greedy answer twice" in done.out
    assert KEY not in done.out + done.err


@pytest.mark.slow
def test_a_run_scores_what_the_server_answers_counts_its_costs_and_shows_no_key(
    here: Path, served: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    done = harness(capsys, *RUN)
    assert done.code == 0, done.err
    found = answers(here)
    for adapter, name in ((None, "base"), ("tuned", "tuned")):
        for n in range(SAMPLES):
            text = f"Sum up: Ben says {n} hello"
            wanted, *_ = answer(served, {"model": name, "max_tokens": 8}, text, 0)
            assert found["chats", adapter, f"s{n}"] == wanted.strip()
    document = json.loads((here / "R" / "result.json").read_text())
    costs = {(cost["task"], cost["adapter"], cost["quantity"]): cost for cost in document["costs"]}
    for key in (("chats", None), ("chats", "tuned"), ("picks", None), ("picks", "tuned")):
        price = costs[(*key, "price")]
        tokens = [costs[(*key, name)]["value"] for name in ("input tokens", "output tokens")]
        assert price["unit"] == "EUR"
        assert price["value"] == pytest.approx((2.5 * tokens[0] + 10 * tokens[1]) / 1e6, rel=1e-12)
        assert (*key, "peak memory") not in costs  # the server's is not known
    report = (here / "R" / "report.md").read_text()
    assert "tokens asked and" in report
    assert " EUR, counted by the server over all tries." in report
    for path in (path for path in here.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
    asked = len(served.asked)
    kept = harness(capsys, *RUN)
    assert kept.code == 0
    again = served.asked[asked:]
    assert again
    assert not any("Ben says" in str(body) for body in again)  # a handshake alone


@pytest.mark.slow
def test_a_failed_sample_fails_its_step_and_a_rerun_asks_only_it(
    here: Path, served: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(number: int, body: Body) -> Reply | None:
        broken = body["model"] == "base" and "Sum up: Ben says 7" in str(body.get("prompt"))
        return error(500, "boom") if broken else None

    served.fault = fault
    done = harness(capsys, *RUN)
    assert done.code == 3
    assert "failed: generate chats, served: " in done.err
    assert "1 of 12 samples unanswered (s7): HTTP 500: boom, 2 tries; run again to ask only these" in done.err
    served.fault = lambda number, body: None
    served.asked.clear()
    again = harness(capsys, *RUN)
    assert again.code == 0, again.err
    assert [text for text in served.texts() if "Sum up: Ben" in text] == ["Sum up: Ben says 7 hello"]
    whole = answers(here)
    with serving(Stub(key=KEY)) as base:
        write(here, base)
        other = harness(
            capsys,
            "run",
            "small.yaml",
            "--out",
            "R2",
            "--device",
            "cpu",
            "--workers",
            "0",
            "--store",
            "other",
        )
    assert other.code == 0
    assert answers(here, "R2") == whole
    spent = [
        {cost["quantity"]: cost["value"] for cost in json.loads((here / name / "result.json").read_text())["costs"]
         if (cost["task"], cost["adapter"]) == ("chats", None)}
        for name in ("R", "R2")
    ]  # fmt: skip
    assert spent[0]["input tokens"] == spent[1]["input tokens"]  # both tries count


@pytest.mark.slow
def test_a_server_that_answers_otherwise_makes_new_steps(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def plan(stub: Stub) -> str:
        with serving(stub) as base:
            write(here, base, SUITE.replace("adapters:", "  - {name: rule, uri: echo:copy}\nadapters:"))
            place = base.rpartition(":")[2]
            done = harness(capsys, "plan", "small.yaml", "--device", "cpu")
        assert done.code == 0, done.err
        return done.out.replace(place, "PORT")

    whole = plan(Stub(key=KEY))
    poor = plan(Stub(key=KEY, echo="dropped"))
    assert "generate picks, served" in whole
    assert "generate picks, served" not in poor
    assert "generate picks, rule" in poor
    assert "did not prove log-probabilities: no log-probabilities in the answer" in " ".join(poor.split())


BAD = [
    (
        Stub(key="sk-other"),
        "the key in $STUB_KEY was refused: HTTP 401: Incorrect API key provided: Bearer …",
    ),
    (Stub(key=KEY, models={"base": "", "tuned": ""}), "answers 3 prompts as its base base does"),
    (Stub(key=KEY, models={"other": ""}), "HTTP 404: The model `base` does not exist."),
    (
        Stub(key=KEY, fault=lambda number, body: Reply(content=b'{"cho')),
        "an answer of 5 bytes that is no whole JSON",
    ),
]


@pytest.mark.parametrize(("stub", "said"), BAD, ids=["key", "twin", "absent", "cut JSON"])
def test_what_is_wrong_is_said_in_a_line_before_anything_runs(
    here: Path, capsys: pytest.CaptureFixture[str], stub: Stub, said: str
) -> None:
    with serving(stub) as base:
        write(here, base)
        for command in (("check", "small.yaml"), RUN):
            done = harness(capsys, *command)
            assert done.code == 2
            assert told_in_a_line(done)
            assert said in " ".join(done.err.split())
            assert "small.yaml" in done.err or "adapter 'tuned'" in done.err


def test_a_key_that_is_missing_is_said_before_the_server_is_asked(
    here: Path, served: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUB_KEY")
    done = harness(capsys, "check", "small.yaml")
    assert done.code == 2
    assert "the environment has no variable STUB_KEY with the key; set it" in done.err
    assert served.asked == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("key: STUB_KEY", "key: sk-1234", "server.key: found no name of an environment variable"),
        ("at_once: 4", "at_once: 0", "server.at_once: found 0; give at least 1"),
        ("timeout: 5", "timeout: 0", "server.timeout: found 0; give more than 0 seconds"),
        ("retries: 1", "retry: 1", "no key named 'retry'; did you mean 'retries'"),
        ("input: 2.5", "input: -1", "server.prices: found a price below 0"),
        ("key: STUB_KEY", "tokenizer: gpt", "server.tokenizer: found 'gpt'; write hub:OWNER/NAME, file:PATH or zoo:NAME"),
        ("uri: BASE#base", "uri: BASE", "write http://HOST/v1#MODEL"),
        ("uri: BASE#tuned", "uri: ./folder", "cannot be attached to a model on a server; write http://h/v1#NAME"),
        ("uri: BASE#tuned", "uri: http://g/v1#tuned", r"found the server http://g/v1; its base is on http://h/v1"),
        ("uri: BASE#tuned", "uri: BASE#base", "found the name of its base; write the name of the adapter"),
        ("uri: BASE#base\n    server: ", "uri: echo:copy\n    about: ", "found an adapter on a server"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_suite_is_refused_with_its_line(here: Path, old: str, new: str, said: str) -> None:
    text = SUITE.replace(old, new)
    if "echo" in new:
        text = "\n".join(line for line in text.splitlines() if "about:" not in line)
    write(here, "http://h/v1", text)
    with pytest.raises(SuiteError, match=r"^[^\n]*small\.yaml:\d+: [^\n]*$") as refused:
        load_suite("small.yaml")
    assert said in str(refused.value)
    assert "sk-1234" not in str(refused.value)


def test_no_setting_of_a_server_is_part_of_an_id_and_a_tokenizers_path_starts_at_the_suite(
    here: Path,
) -> None:
    from harness.digest import digest

    write(here, "http://h/v1")
    asked = load_suite("small.yaml").models[0]
    write(here, "http://h/v1", SUITE.replace("key: STUB_KEY, at_once: 4", "tokenizer: 'file:words'"))
    other = load_suite("small.yaml").models[0]
    assert digest(asked) == digest(other)
    assert http.settings_of(other).tokenizer == f"file:{here.resolve()}/words"


@pytest.mark.slow
def test_a_run_against_a_server_imports_no_torch(here: Path, served: Stub) -> None:
    code = (
        "import sys; sys.argv = ['harness', *sys.argv[1:]]\n"
        "from harness.cli import main\n"
        "try: main()\n"
        "finally: print('LOADED', sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code, *RUN],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert "LOADED []" in ran.stdout, ran.stdout[-500:] + ran.stderr[-500:]
    assert (here / "R" / "result.json").is_file()
