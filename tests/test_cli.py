"""What a user types, and what comes back: output, exit code, never a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli import main

SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{id: id, input: dialogue, reference: summary}}}}
    prompt: "Sum up.\\n\\n$input\\n\\nSummary:"
    metrics: [rouge, exact]
    primary: rougeL
models: [{{name: first, uri: "echo:{rule}"}}, {{name: copy, uri: "echo:copy"}}]
weights: false
"""


def harness(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HARNESS_STORE": str(folder / "store")}
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "suites" / "data").mkdir(parents=True)
    lines = [
        {"id": f"s{n}", "dialogue": f"Ann: taxi {n}?\nBen: No.", "summary": f"Ann: taxi {n}?"}
        for n in range(12)
    ]
    (tmp_path / "suites" / "data" / "test.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines)
    )
    (tmp_path / "suites" / "small.yaml").write_text(SUITE.format(rule="first-line"))
    return tmp_path


@pytest.mark.slow
def test_run_prints_the_table_and_where_the_result_is(project: Path) -> None:
    done = harness(project, "run", "small", "--workers", "0", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    for text in ("ROUGE-L", "100.0", "copy", "reports/out/small/report.html"):
        assert text in done.stdout
    assert "Traceback" not in done.stderr
    assert "score chats, first: done" in done.stderr  # plain lines where there is no terminal

    verified = harness(project, "verify", "reports/out/small")
    assert verified.returncode == 0, verified.stderr


@pytest.mark.slow
def test_a_hand_edited_score_is_refused(project: Path) -> None:
    harness(project, "run", "small", "--workers", "0", "--device", "cpu")
    path = project / "reports" / "out" / "small" / "result.json"
    result = json.loads(path.read_text())
    result["scores"][0]["value"] += 1.0
    path.write_text(json.dumps(result))
    refused = harness(project, "verify", "reports/out/small")
    assert refused.returncode == 2
    score = result["scores"][0]
    assert score["metric"] in refused.stderr
    assert f"{score['value']:.2f}"[:5] in refused.stderr


@pytest.mark.slow
def test_a_failing_step_exits_3_after_the_rest_and_names_its_log(project: Path) -> None:
    (project / "suites" / "small.yaml").write_text(SUITE.format(rule="crash-on-s3"))
    done = harness(project, "run", "small", "--workers", "0", "--device", "cpu")
    assert done.returncode == 3
    assert "s3" in done.stderr
    log = Path(done.stderr.rpartition("log: ")[2].split()[0])
    assert "Traceback" in log.read_text()
    result = json.loads((project / "reports" / "out" / "small" / "result.json").read_text())
    assert {score["model"] for score in result["scores"]} == {"copy"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "smal"), "did you mean 'small'"),
        (("run", "small", "--only", "nothing/*"), "--only nothing"),
        (("run", "small", "--limit", "0"), "--limit"),
        (("run", "small", "--store", "suites"), "holds other things"),
        (("run", "small", "--workers", "0", "--out", "suites"), "holds other things"),
        (("report", "suites"), "result.json"),
        (("verify", "nowhere"), "nowhere"),
        (("list", "suits"), "suites"),
        (("show", "dialogues", "--model", "zoo:lama2-tiny"), "llama2-tiny"),
        (("weigh", "file:nowhere"), "nowhere"),
        (("weigh", "nowhere", "--against-scores"), "result.json"),
        (("weigh", "zoo:falcon-tiny", "--markdown", "page.md"), "--against-scores"),
        (("convert", "nowhere"), "nowhere"),
        (("new", "task", "one", "two"), "two"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_words_get_a_line_and_exit_code_2(
    project: Path,
    words: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: another for each would take most of the time to start."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("HARNESS_STORE", str(project / "store"))
    monkeypatch.setattr("sys.argv", ["harness", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2, said
    assert message in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_commands_process_ends_with_the_code_and_the_line(project: Path) -> None:
    done = harness(project, "run", "smal")
    assert done.returncode == 2, done.stderr
    assert "did you mean 'small'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["task", "suite", "recipe"])
def test_a_new_file_passes_check_as_it_is(project: Path, kind: str) -> None:
    written = harness(project, "new", kind, "mine")
    assert written.returncode == 0, written.stderr
    checked = harness(project, "check", written.stdout.strip())
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.rstrip().endswith("ok")
    again = harness(project, "new", kind, "mine")
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.slow
def test_plan_says_what_is_kept_and_what_is_to_do(project: Path) -> None:
    before = harness(project, "plan", "small", "--device", "cpu")
    assert "to do; not in the store" in before.stdout
    assert "0 of" not in before.stdout
    harness(project, "run", "small", "--workers", "0", "--device", "cpu", "--limit", "5")
    longer = harness(project, "plan", "small", "--device", "cpu")
    assert "to do; continues a run with another limit" in longer.stdout
    after = harness(project, "plan", "small", "--device", "cpu", "--limit", "5")
    assert "0 of" in after.stdout


@pytest.mark.slow
def test_the_store_can_be_looked_at_and_cleaned(project: Path) -> None:
    harness(project, "run", "small", "--workers", "0", "--device", "cpu")
    listed = harness(project, "store", "ls").stdout.splitlines()
    assert any("score chats, copy" in line for line in listed)
    assert "generate" in harness(project, "store", "du").stdout
    kept = harness(project, "store", "prune", "--yes", "--keep", "small", "--device", "cpu")
    assert kept.stdout.startswith("0.0 MB")
    assert len(harness(project, "store", "ls").stdout.splitlines()) == len(listed)
    harness(project, "store", "prune", "--yes")
    assert harness(project, "store", "ls").stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_continue(project: Path, how: signal.Signals) -> None:
    lines = [{"id": f"s{n}", "dialogue": "word " * 50, "summary": "word"} for n in range(20_000)]
    (project / "suites" / "data" / "test.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines)
    )
    store = project / "store"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "harness",
            "run",
            "small",
            "--workers",
            "1",
            "--device",
            "cpu",
            "--store",
            str(store),
        ],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not list(store.glob("work/*/generations.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again to resume" in errors
    assert "Traceback" not in errors


def test_help_answers_without_a_word_too_many(tmp_path: Path) -> None:
    done = harness(tmp_path, "--help")
    assert done.returncode == 0
    for command in (
        "run",
        "plan",
        "check",
        "report",
        "verify",
        "list",
        "show",
        "weigh",
        "convert",
        "new",
        "store",
    ):
        assert command in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_references_without_a_word_that_rouge_reads_are_told(project: Path, command: str) -> None:
    path = project / "suites" / "data" / "test.jsonl"
    chinese = "\u6211\u4eec\u660e\u5929\u89c1"
    rows = [{"id": f"s{n}", "dialogue": "x", "summary": chinese if n < 7 else "taxi"} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = "task chats: rouge finds no word in 7 of the first 12 test references"
    done = harness(project, command, "small", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert said in done.stdout + done.stderr and "use chrf" in done.stdout + done.stderr
    path.write_text("".join(json.dumps(row | {"summary": "taxi"}) + "\n" for row in rows))
    assert "use chrf" not in "".join(harness(project, "check", "small").stdout)
