"""`harness view`: who is answered with what, what a bundle contains, and what bad input comes to."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from threading import Thread
from urllib.parse import unquote

import pytest

from harness.commands import bundle, runs
from harness.commands.course import Course
from harness.commands.serve import Server
from harness.commands.site import Settings, Site, SiteReader
from harness.errors import HarnessError, ResultError
from harness.results.document import read_document, write_document
from harness.run.store import Store, open_store
from harness.types import Outcome, Step
from tests.cli.words import harness
from tests.report.conftest import EVIL, printable, write_result
from tests.report.leaks import keep_private, leaks, private_texts

HTTP = http.client


@pytest.fixture(scope="module")
def place(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two RESULTs, a broken one and one without scores."""
    folder = tmp_path_factory.mktemp("view") / "runs"
    for name in ("monday", "nested/tuesday"):
        shutil.copytree(example, folder / name, ignore=shutil.ignore_patterns("*.html", "charts", "samples"))
    (folder / "broken").mkdir()
    (folder / "broken" / "result.json").write_text('{"schema": 1')
    empty = shutil.copytree(folder / "monday", folder / "empty")
    document = read_document(empty)
    document["scores"] = []
    write_document(empty, document)
    return folder


def site_of(folder: Path, work: Path, drawings: Path, store: Store | None = None) -> Site:
    settings = Settings(title="runs", verified=False, store=store, drawings=drawings)
    return Site(SiteReader(folder), work, settings)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("store") / "S")


@pytest.fixture(scope="module")
def server(
    place: Path, store: Store, drawings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    site = site_of(place, tmp_path_factory.mktemp("work"), drawings, store)
    with Server(site.page) as running:
        thread = Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: Server, path: str, method: str = "GET", host: str | None = ""
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTP.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, path, skip_host=host != "")
    if host:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


class Links(HTMLParser):
    """The addresses that a page names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.found.append(value or "")
            if name in ("src", "href", "action", "data", "srcset") and tag != "a":
                self.loads.append(value or "")


def target(page: str, link: str) -> str:
    """The address that a link on a page leads to."""
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / unquote(link.partition("#")[0])).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def walked(read: Callable[[str], str]) -> dict[str, str]:
    """Every page that can be reached from the index by links, by address."""
    found: dict[str, str] = {}
    ahead = ["index.html"]
    while ahead:
        page = ahead.pop()
        if page in found:
            continue
        found[page] = read(page)
        links = Links(found[page])
        assert set(links.loads) <= {"data:,"}, page
        ahead += [target(page, link) for link in links.found if link and not link.startswith("#")]
    return found


@pytest.mark.slow
def test_every_link_of_every_page_leads_to_a_page(server: Server) -> None:
    def read(page: str) -> str:
        status, _, content = ask(server, f"/{page}")
        assert status == 200, page
        return content.decode()

    pages = walked(read)
    assert {"leaderboard.html", "compare.html", "trend.html", "live.html"} <= pages.keys()
    assert sum(page.startswith("results/") for page in pages) == 2
    assert sum(page.startswith("compare/") for page in pages) == 2  # both directions
    assert sum(page.startswith("trend/") for page in pages) == 1
    assert not [page for page, content in pages.items() if "This page cannot be made" in content]
    assert "broken</b>: result.json: not JSON" in pages["index.html"]
    assert "empty</b>: it has no scores" in pages["index.html"]


def test_every_answer_has_the_headers_and_the_policy_of_its_page(server: Server) -> None:
    for path in ("/", "/leaderboard.html", "/live.html", "/live.json", "/nothing"):
        _, headers, content = ask(server, path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and policy.endswith("frame-ancestors 'none'")
        assert "unsafe" not in policy
        assert ("connect-src 'self'" in policy) == (path == "/live.html")
        if b"<style>" in content:
            assert "script-src 'sha256-" in policy
    assert ask(server, "/live.json")[1]["content-type"] == "application/json; charset=utf-8"
    assert ask(server, "/")[1]["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "[::1]:PORT", "evil.example:PORT", None]
)
def test_a_request_to_another_host_gets_nothing(server: Server, host: str | None) -> None:
    said = host.replace("PORT", str(server.port)) if host else None
    status, _, content = ask(server, "/", host=said)
    assert status == 421
    assert b"monday" not in content


def test_two_hosts_are_not_one(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        own = f"Host: 127.0.0.1:{server.port}\r\n"
        plain.sendall(f"GET / HTTP/1.0\r\n{own}Host: evil.example\r\n\r\n".encode())
        assert plain.makefile("rb").readline().split()[1] == b"421"


def test_localhost_is_this_server_too(server: Server) -> None:
    assert ask(server, "/", host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "X" * 200]
)
def test_only_get_and_head_are_allowed(server: Server, method: str) -> None:
    status, headers, _ = ask(server, "/", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_the_page(server: Server) -> None:
    (status, headers, content), (_, _, page) = ask(server, "/", "HEAD"), ask(server, "/")
    assert (status, content) == (200, b"")
    assert int(headers["content-length"]) == len(page)


PATHS = [
    "/../secret", "/%2e%2e/secret", "/..%2fsecret", "//secret", "/results/../secret", "/results/%2e%2e/report.html",
    "/results/monday/report.html", "/results/KEY/result.json", "/results/KEY/../../secret", "/results/KEY/samples/1.html",
    "/results/KEY/samples/../report.html", "/results/KEY/report.html%00", "/results/KEY/report.html%0a",
    "/results//etc/passwd", "/compare/KEY.KEY.html", "/trend/KEY.html", "/index.html/", "/monday/result.json", "/\\secret",
    "/%ff%fe", "/" + "x" * 5000, "http://evil.example/secret",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_address_leads_out_of_the_pages(server: Server, place: Path, path: str) -> None:
    (place.parent / "secret").write_text("secret content")
    key = SiteReader(place).read().members[0].key
    status, _, content = ask(server, path.replace("KEY", key))
    assert status == (421 if "evil.example" in path else 404)
    assert b"secret content" not in content


def test_the_server_listens_at_the_loopback_address_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_in_use_is_told(server: Server) -> None:
    with pytest.raises(HarnessError, match=rf"--port {server.port}: .*in use; name another port"):
        Server(lambda address: None, server.port)


@pytest.mark.slow
def test_a_report_is_drawn_from_the_data_and_never_what_lies_beside_it(
    tmp_path: Path, drawings: Path
) -> None:
    """A stranger's report.html would run its scripts beside the pages of all other RESULTs."""
    folder = write_result(tmp_path / "runs" / "theirs", samples=4)
    (folder / "report.html").write_text("<script>steal()</script>")
    (folder / "samples").mkdir()
    (folder / "samples" / "0001.html").write_text("<script>steal()</script>")
    site = site_of(tmp_path / "runs", tmp_path / "work", drawings)
    key = SiteReader(tmp_path / "runs").read().members[0].key
    page = site.page(f"results/{key}/report.html")
    assert page is not None and b"steal" not in page and b"What went wrong" in page
    assert site.page(f"results/{key}/samples/0001.html") is None
    assert (folder / "report.html").read_text() == "<script>steal()</script>"  # and nothing is written there


@pytest.mark.slow
def test_what_a_stranger_wrote_is_shown_as_text(tmp_path: Path, drawings: Path) -> None:
    folder = write_result(tmp_path / "runs" / "theirs", samples=4)
    name = json.dumps(printable("".join(EVIL[:7])))[1:-1]
    said = (
        (folder / "result.json").read_text().replace("falcon-tiny", name).replace('"quickstart"', f'"{name}"')
    )
    (folder / "result.json").write_text(said)
    for hidden in ("rows.parquet", "generations.jsonl.gz", "samples.jsonl.gz"):
        (folder / hidden).unlink()
    document = read_document(folder)
    document["suite"]["tasks"][0]["name"] = document["suite"]["name"] = "</script><script>x()"
    for score in document["scores"]:
        score["signature"] = "<img src=x onerror=x()>"
        score["task"] = "</script><script>x()" if score["task"] == "instructions" else score["task"]
    document["manifest"]["created"] = "2026-11-23T20:00:00Z<script>"
    write_document(folder, document)
    shutil.copytree(folder, tmp_path / "runs" / "<img src=x onerror=x()>")
    site = site_of(tmp_path / "runs", tmp_path / "work", drawings)
    key, other = (member.key for member in SiteReader(tmp_path / "runs").read().members)
    trend = next(address for address in site.addresses() if address.startswith("trend/"))
    own = (
        "index.html",
        "compare.html",
        f"compare/{key}.{other}.html",
        "trend.html",
        trend,
        "leaderboard.html",
    )
    for address in own:
        page = site.page(address)
        assert page is not None
        for evil in (b"<script>x()", b"<script>document", b"<img", b"<svg onload"):
            assert evil not in page, address
        assert page.count(b"<script>") == 2, address


def test_the_leaderboard_names_runs_by_their_place_in_the_folder(
    example: Path, tmp_path: Path, drawings: Path
) -> None:
    for name in ("monday", "tuesday", "partial"):
        shutil.copytree(example, tmp_path / "runs" / name / "same", ignore=shutil.ignore_patterns("*.html"))
    lost = read_document(tmp_path / "runs" / "partial" / "same")
    lost["steps"][0]["state"] = "failed"
    write_document(tmp_path / "runs" / "partial" / "same", lost)
    page = (site_of(tmp_path / "runs", tmp_path / "work", drawings).page("leaderboard.html") or b"").decode()
    assert "monday/<wbr>same" in page and "tuesday/<wbr>same" in page
    assert "partial/same</b>: partial: 1 of" in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize(
    "change",
    [
        {"scores": [{"task": "dialogues"}]},
        {"scores": "all"},
        {"suite": []},
        {"manifest": {"created": 7}},
        {"steps": [3]},
        {"suite": {"name": "s", "tasks": [], "models": []}},
    ],
    ids=str,
)
def test_a_document_that_no_run_wrote_is_listed_or_shown_and_hides_no_other(
    place: Path, tmp_path: Path, drawings: Path, change: dict[str, object]
) -> None:
    shutil.copytree(place / "monday", tmp_path / "runs" / "good")
    bad = Path(shutil.copytree(place / "monday", tmp_path / "runs" / "bad"))
    write_document(bad, read_document(bad) | change)
    site = site_of(tmp_path / "runs", tmp_path / "work", drawings)
    found = SiteReader(tmp_path / "runs").read()
    assert "good" in [member.name for member in found.members]
    for address in ("index.html", "compare.html", "trend.html", "leaderboard.html"):
        page = site.page(address)
        assert (page is not None and b"good" in page) or address == "trend.html", address


# Bundles.


@pytest.fixture(scope="module")
def bundled(place: Path, drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "site"
    bundle.write(place, out, verified=False, drawings=drawings)
    return out


@pytest.mark.slow
def test_a_bundle_has_every_page_that_its_links_name_and_no_other(bundled: Path) -> None:
    pages = walked(lambda page: (bundled / page).read_text())
    files = {path.relative_to(bundled).as_posix() for path in bundled.rglob("*") if path.is_file()}
    assert files == {*pages, bundle.MARK}
    assert set(json.loads((bundled / bundle.MARK).read_text())["files"]) == files
    assert not any("live.html" in content or "connect-src" in content for content in pages.values())
    assert not [page for page, content in pages.items() if "This page cannot be made" in content]


@pytest.mark.slow
def test_a_bundle_says_nothing_of_this_machine(bundled: Path, place: Path) -> None:
    for path in bundled.rglob("*.html"):
        assert str(place.parent) not in path.read_text(), path


@pytest.mark.slow
def test_a_bundle_has_no_private_text_and_the_server_has(tmp_path: Path, drawings: Path) -> None:
    folder = keep_private(write_result(tmp_path / "runs" / "mine", samples=12))
    texts = private_texts(folder)
    bundle.write(tmp_path / "runs", tmp_path / "site", verified=False, drawings=drawings)
    assert not leaks(tmp_path / "site", texts)
    site = site_of(tmp_path / "runs", tmp_path / "work", drawings)
    key = SiteReader(tmp_path / "runs").read().members[0].key
    assert site.page(f"results/{key}/report.html")
    assert leaks(tmp_path / "work", texts)


def test_a_folder_of_other_things_is_not_replaced(place: Path, tmp_path: Path) -> None:
    for mark in ("thesis.tex", bundle.MARK):
        thesis = tmp_path / mark
        thesis.mkdir()
        (thesis / mark).write_text('{"schema": 1}')
        with pytest.raises(HarnessError, match="the folder holds other things"):
            bundle.write(place, thesis, verified=False)
        assert [path.name for path in thesis.iterdir()] == [mark]


@pytest.mark.slow
def test_a_bundle_is_replaced_and_files_of_the_user_stay(place: Path, tmp_path: Path, drawings: Path) -> None:
    shutil.copytree(place / "monday", tmp_path / "runs" / "monday")
    out = tmp_path / "site"
    bundle.write(tmp_path / "runs", out, verified=False, drawings=drawings)
    (out / "CNAME").write_text("results.example")
    (out / "results" / "gone-00000000").mkdir()
    (tmp_path / "runs" / "monday").rename(tmp_path / "runs" / "sunday")
    bundle.write(tmp_path / "runs", out, verified=False, drawings=drawings)
    assert (out / "CNAME").read_text() == "results.example"
    names = [path.name for path in (out / "results").iterdir()]
    assert len(names) == 1 and names[0].startswith("sunday-")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "site"]  # nothing is left beside


def test_a_bundle_goes_into_no_result_and_no_store(place: Path, store: Store) -> None:
    with pytest.raises(HarnessError, match="lies in a RESULT"):
        bundle.write(place, place / "monday" / "site", verified=False)
    with pytest.raises(HarnessError, match="of the store"):
        bundle.write(place, store.root / "done" / "site", verified=False)


# The command.


def test_bad_input_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").touch()
    for words, said in (
        ("view nowhere", "nowhere: no such folder"),
        ("view file", "file: no such folder"),
        ("view nothing", "nothing: contains no RESULT"),
        ("view nothing --bundle site", "nothing: contains no RESULT"),
        ("view nothing --bundle site --port 80", "a bundle needs no server"),
    ):
        done = harness(capsys, *words.split())
        assert (done.code, done.out) == (2, "")
        assert said in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(place: Path, tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "harness",
        "view",
        str(place),
        "--no-verify",
        "--store",
        str(tmp_path / "S"),
    ]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        # What a shell runs in the background ignores interrupts, and so would its children
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        port = int(said.rpartition(":")[2].rstrip("/\n"))
        connection = HTTP.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/")
        assert b"monday" in connection.getresponse().read()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith("2 RESULTs of ")
    assert "cannot be shown: broken: " in error and "Traceback" not in error
    assert not (tmp_path / "S").exists()


# Runs that are going on.

TRAIN, ANSWER = (
    Step(id=f"{place:016x}", kind=kind, label=label, spec=None)
    for place, (kind, label) in enumerate((("train", "train <b>llama</b>"), ("generate", "answers")))
)


def test_a_run_is_shown_while_it_goes_on_and_not_afterwards(server: Server, store: Store) -> None:
    def shown() -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(ask(server, "/live.json")[2])["runs"]
        return found

    assert shown() == []
    course = Course([TRAIN, ANSWER])
    course.started(TRAIN)
    course.progress(TRAIN, 12, 60, "loss 1.92")
    with runs.recorded(course, "quick<start>", Path("/home/me/reports/out/quick"), store):
        (run,) = shown()
        assert (run["suite"], run["out"], run["done"], run["total"]) == ("quick<start>", "quick", 0, 2)
        page = ask(server, "/live.html")[2].decode()
        assert "train &lt;b&gt;llama&lt;/b&gt;" in page and "quick&lt;start&gt;" in page
        steps = run["running"]
        assert isinstance(steps, list)
        assert [step["label"] for step in steps] == [TRAIN.label]
        assert "12 of 60" in steps[0]["says"]
    assert shown() == []
    course.ended(TRAIN, Outcome(step=TRAIN.id, state="failed", reason="no memory"))
    with runs.recorded(course, "s", Path("out"), store):
        (run,) = shown()
        assert (run["done"], run["running"]) == (1, [])
        assert run["failures"] == [f"failed: {TRAIN.label}: no memory"]


@pytest.mark.slow
def test_a_run_that_was_killed_or_is_broken_is_not_shown(store: Store) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom harness.commands import runs\n"
        "from harness.commands.course import Course\nfrom harness.run.store import Store\n"
        "from tests.report.test_view import ANSWER\n"
        "with runs.recorded(Course([ANSWER]), 's', Path('o'), Store(Path(sys.argv[1]))):\n"
        "    print(len(runs.going_on(Store(Path(sys.argv[1])))), flush=True)\n    os._exit(9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(store.root)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("1\n", 9), done.stderr
    (left,) = store.live.glob("*.json")
    content = json.loads(left.read_text())
    for name, text in (
        ("a", "{"), ("b", "[]"), ("c", '{"run": {}}'), ("d", "[" * 100_000), ("e", '{"owner": {}, "run": 3}'),
    ):  # fmt: skip
        (store.live / f"{name}.json").write_text(text)
    del content["owner"]
    assert runs.going_on(store) == []
    with runs.recorded(Course([ANSWER]), "s", Path("o"), store):
        assert len(runs.going_on(store)) == 1
        assert not left.exists()  # of the process that was killed


def test_a_missing_folder_may_be_waited_for_while_a_run_goes_on(tmp_path: Path, store: Store) -> None:
    from harness.commands.view import _found

    (tmp_path / "out").mkdir()
    with pytest.raises(ResultError, match="contains no RESULT"):
        _found(SiteReader(tmp_path / "out"), tmp_path / "out")
    assert _found(SiteReader(tmp_path / "out"), tmp_path / "out", going_on=True).rows == ()
