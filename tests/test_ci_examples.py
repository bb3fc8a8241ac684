"""The examples for CI: sound YAML, commands that the program has, and scripts that do what they say."""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from harness.cli import app
from harness.suite.load import load_suite

CI = Path(__file__).parent.parent / "examples" / "ci"
ADAPTERS = ("hub:someone/adapter@0123abc", "file:candidate")


def loaded(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(CI / name)


def scripts() -> dict[str, str]:
    """Every script of both files, by where it stands."""
    steps = loaded("github.yml")["jobs"]["gate"]["steps"]
    found = {f"github.yml {n}": step["run"] for n, step in enumerate(steps) if "run" in step}
    job = loaded("gitlab-ci.yml")["adapter"]
    for key in ("script", "after_script"):
        found |= {f"gitlab-ci.yml {key} {n}": line for n, line in enumerate(job[key])}
    return found


def commands() -> Iterator[list[str]]:
    """The words of each command of the harness, with either kind of adapter."""
    readme = re.findall(r"^harness .*", (CI / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    lines = [line for script in (*scripts().values(), *readme) for line in script.splitlines()]
    for line in lines:
        if line.startswith("harness "):
            for adapter in ADAPTERS:
                words = shlex.split(line.replace("$ADAPTER", adapter))
                yield words[1 : words.index("||") if "||" in words else None]


def test_both_run_the_adapter_and_then_the_gate() -> None:
    for name in ("github.yml", "gitlab-ci.yml"):
        script = "\n".join(text for place, text in scripts().items() if place.startswith(name))
        found = re.findall(r"^harness (\w+)", script, re.MULTILINE)
        assert found == ["run", "gate"]


def test_every_command_is_one_of_the_program() -> None:
    group: Any = typer.main.get_command(app)
    found = list(commands())
    assert len(found) >= 12
    for words in found:
        context = group.make_context("harness", [*words])
        name, command, rest = group.resolve_command(context, words)
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("place", scripts())
def test_every_script_is_sound(place: str) -> None:
    done = subprocess.run(["bash", "-n"], input=scripts()[place], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_from_outside_is_written_into_a_script() -> None:
    """What a title, a branch or an input holds would be run."""
    assert not [place for place, script in scripts().items() if "${{" in script]


def test_github_gives_no_more_rights_than_the_comment_needs() -> None:
    flow = loaded("github.yml")
    assert flow["permissions"] == {"contents": "read"}
    assert flow["jobs"]["gate"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "pull_request_target" not in flow["on"]
    with_secrets = [step["name"] for step in flow["jobs"]["gate"]["steps"] if "secrets." in str(step)]
    assert with_secrets == ["Answer"]


def test_actions_are_of_a_major_version() -> None:
    used = [step["uses"] for step in loaded("github.yml")["jobs"]["gate"]["steps"] if "uses" in step]
    assert len(used) >= 6
    assert all(re.fullmatch(r"actions/[\w/-]+@v\d+", one) for one in used)


def test_github_keeps_the_result_and_the_comment_of_a_gate_that_failed() -> None:
    steps = loaded("github.yml")["jobs"]["gate"]["steps"]
    gate = next(n for n, step in enumerate(steps) if step.get("name") == "Gate")
    assert all("success() || failure()" in step["if"] for step in steps[gate:])
    (upload,) = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert upload["with"]["path"].split() == ["result", "gates.xml", "comment.md"]


def test_gitlab_reads_the_file_that_the_gate_writes() -> None:
    job = loaded("gitlab-ci.yml")["adapter"]
    assert f"--junit {job['artifacts']['reports']['junit']} " in " ".join(job["script"])
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["paths"] == ["result", "gates.xml", "comment.md"]


def test_the_suite_trains_nothing_and_judges_the_candidate() -> None:
    suite = load_suite(str(CI / "suite.yaml"))
    assert suite.recipes == ()
    assert suite.train_on == ()
    assert [adapter.name for adapter in suite.adapters] == ["candidate"]
    assert len(suite.gates) == 4
    assert {gate.adapter for gate in suite.gates} == {"candidate"}


@pytest.mark.parametrize("ran", [0, 3])
def test_gitlab_judges_what_a_failed_run_left_and_still_fails(ran: int, tmp_path: Path) -> None:
    script = "set -eo pipefail\n" + "\n".join(loaded("gitlab-ci.yml")["adapter"]["script"])
    told = f'pip() {{ :; }}\nharness() {{ echo "$@"; if [ "$1" = run ]; then return {ran}; fi; }}\n'
    env = {**os.environ, "ADAPTER": "file:a b"}
    done = subprocess.run(
        ["bash"], input=told + script, env=env, cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.returncode == ran
    assert done.stdout.splitlines()[0] == "run suites/mine.yaml --adapter candidate=file:a b --out result"
    assert done.stdout.splitlines()[1].startswith("gate result ")


@pytest.mark.parametrize(
    ("artifact", "given", "file", "adapter"),
    [
        ("adapter", "", "hub:a/b@1", "file:candidate"),
        ("", "hub:c/d@2", "hub:a/b@1", "hub:c/d@2"),
        ("", "", "hub:a/b@1", "hub:a/b@1"),
        ("", "", "hub:a/b@1\nPATH=/evil", "hub:a/b@1"),
        ("", "$(touch evil)\nPATH=/evil", "", "$(touch evil)"),
    ],
)
def test_github_takes_the_adapter_it_is_given_and_sets_nothing_else(
    artifact: str, given: str, file: str, adapter: str, tmp_path: Path
) -> None:
    (script,) = [text for text in scripts().values() if "GITHUB_ENV" in text]
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "candidate.txt").write_text(file)
    env = {**os.environ, "ARTIFACT": artifact, "GIVEN": given, "GITHUB_ENV": str(tmp_path / "env")}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "env").read_text() == f"ADAPTER={adapter}\n"
    assert not (tmp_path / "evil").exists()


class Notes(http.server.BaseHTTPRequestHandler):
    """GitLab's notes of one merge request, as far as the script asks for them."""

    notes: list[dict[str, Any]]

    def do_GET(self) -> None:
        self._answer({"id": 7} if self.path == "/user" else self.notes)

    def do_POST(self) -> None:
        self.notes.append({"id": 100 + len(self.notes), "author": {"id": 7}, "body": self._body()})
        self._answer({})

    def do_PUT(self) -> None:
        (one,) = [one for one in self.notes if str(one["id"]) == self.path.rpartition("/")[2]]
        one["body"] = self._body()
        self._answer({})

    def _body(self) -> str:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.search(r'name="body"\r\n(?:.+\r\n)*\r\n(.*?)\r\n--', sent, re.DOTALL)
        assert found is not None
        return found[1]

    def _answer(self, value: object) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "secret"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *args: object) -> None: ...


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_gitlab_updates_its_own_comment_and_nobody_elses(tmp_path: Path) -> None:
    marker = "<!-- harness gate mine -->"
    Notes.notes = [{"id": 1, "author": {"id": 5}, "body": f"a person quotes {marker}"}]
    server = http.server.HTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (script,) = loaded("gitlab-ci.yml")["adapter"]["after_script"]
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITLAB_TOKEN": "secret",
        "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "4",
    }
    try:
        for text in ("**1 of 2 gates failed**", "**Both gates passed**"):
            (tmp_path / "comment.md").write_text(f"{text}\n\n| ; & |\n{marker}\n")
            subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=env, check=True)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    quoted, own = Notes.notes
    assert quoted["body"] == f"a person quotes {marker}"
    assert own["body"] == f"**Both gates passed**\n\n| ; & |\n{marker}\n"


def test_without_a_token_gitlab_says_nothing(tmp_path: Path) -> None:
    (script,) = loaded("gitlab-ci.yml")["adapter"]["after_script"]
    (tmp_path / "comment.md").write_text("x")
    env = {"PATH": "/usr/bin:/bin", "CI_MERGE_REQUEST_IID": "4"}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=env, check=True)
