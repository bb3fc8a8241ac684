"""What a run publishes into a folder that holds a RESULT: nothing whole, and nothing that was added, is lost."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.commands import delivery
from harness.commands import share as shareable
from harness.commands.delivery import Delivered, deliver
from harness.commands.rescore import rescore
from harness.errors import HarnessError
from harness.plan.only import only
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.report import render
from harness.results import read
from harness.run.run import run
from harness.run.store import Store, open_store
from harness.suite.load import load_suite
from harness.types import Outcome, Runtime, Step
from harness.verification import verify

SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{id: id}}}}
    prompt: "$input"
    metrics: [f1]
    primary: f1
models: [{{name: first, uri: "echo:{first}"}}, {{name: copy, uri: "echo:copy"}}]
weights: false
gates: [{{model: copy, adapter: base, metric: f1, min_value: 1}}]
"""


class Silent:
    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None: ...
    def ended(self, step: Step, outcome: Outcome) -> None: ...


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery")
    (folder / "data").mkdir()
    lines = [
        {"id": f"s{n:03}", "input": f"in {n}\nand more", "reference": f"in {n} or {n % 3}"} for n in range(12)
    ]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def store(data: Path) -> Iterator[Store]:
    yield open_store(data / "store")


def report(
    data: Path,
    store: Store,
    first: str = "first-line",
    limit: int | None = None,
    part: str = "*",
    task: str = "chats",
) -> Path:
    """Run and return the report's folder; `crash-on-s007` makes it partial."""
    path = data / "small.yaml"
    path.write_text(SUITE.format(first=first).replace("chats", task))
    suite = load_suite(str(path))
    drawn = plan(
        suite,
        pins(suite, device="cpu", offline=True, cache=store.root / "digests.json"),
        limit=limit,
        part=only(part),
    )
    done = run(
        drawn, store, Runtime(workers=0), Silent(), command=f"harness run small.yaml # {first} {limit}"
    )
    assert done.report is not None
    return done.report


@pytest.fixture(scope="module")
def whole(data: Path, store: Store) -> Path:
    return report(data, store)


@pytest.fixture(scope="module")
def partial(data: Path, store: Store) -> Path:
    return report(data, store, "crash-on-s007")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def scores(folder: Path) -> set[tuple[str, str]]:
    return {(one["model"], one["metric"]) for one in document(folder)["scores"]}


# Whole and partial.


@pytest.mark.slow
def test_a_partial_result_stays_beside_a_whole_one_until_the_next_whole_one(
    whole: Path, partial: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    before = document(out)
    found = deliver(partial, out, store)
    beside = out.with_name("out.partial")
    assert (found.folder, found.partial) == (beside, True)
    assert document(out) == before
    assert document(beside)["digest"] == document(partial)["digest"]
    (line,) = found.warnings
    assert "2 of 6 steps have no result (generate chats, first; score chats, first)" in line
    assert f"it is in {beside}; the whole RESULT of {before['manifest']['created']} in {out} stays" in line
    deliver(partial, out, store)
    found = deliver(whole, out, store)
    assert found == Delivered(folder=out, judged=found.judged, partial=False)
    assert names(out.parent) == ["out"]


@pytest.mark.slow
def test_where_nothing_whole_is_a_partial_result_takes_the_place_and_says_what_it_is(
    whole: Path, partial: Path, store: Store, out: Path
) -> None:
    for _ in range(2):
        found = deliver(partial, out, store)
        assert (found.folder, found.partial, len(found.warnings)) == (out, True, 1)
    said = "This RESULT is partial: 2 of 6 steps have no result, and what is missing is not shown."
    assert said in (out / "report.md").read_text() and said in (out / "report.html").read_text()
    assert (out / "report.md").read_text().index(said) < (out / "report.md").read_text().index("##")
    found = deliver(whole, out, store)
    assert (found.folder, found.partial, found.warnings) == (out, False, ())
    assert "partial" not in (out / "report.md").read_text()
    assert names(out.parent) == ["out"]


def test_a_partial_result_with_less_does_not_take_a_partial_one_s_place(
    data: Path, partial: Path, store: Store, out: Path
) -> None:
    deliver(partial, out, store)
    before = document(out)
    less = report(data, open_store(out.parent / "other"), "crash-on-s000", limit=3)
    found = deliver(less, out, store)
    assert found.folder == out.with_name("out.partial")
    assert "the fuller RESULT of" in found.warnings[0]
    assert document(out) == before


def test_a_partial_result_that_its_user_added_to_is_not_removed(
    whole: Path, partial: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    deliver(partial, out, store)
    (out.with_name("out.partial") / "notes.md").write_text("why it failed")
    deliver(whole, out, store)
    assert names(out.parent) == ["out", "out.partial"]


def test_gates_are_those_of_the_folder_that_was_published(
    whole: Path, partial: Path, store: Store, out: Path
) -> None:
    assert deliver(whole, out, store).judged.verdicts[0].verdict == "pass"
    found = deliver(partial, out, store)
    assert found.judged.name == "out.partial"
    verdicts = json.loads((found.folder / "verdicts.json").read_text())["verdicts"]
    assert [one.verdict for one in found.judged.verdicts] == [one["verdict"] for one in verdicts]


# What was added.


@pytest.mark.slow
def test_a_rescored_metric_is_still_there_after_the_same_run(whole: Path, store: Store, out: Path) -> None:
    deliver(whole, out, store)
    rescore(out, ["exact", "chrf"], out)
    before = document(out)
    for _ in range(2):
        found = deliver(whole, out, store)
        assert found.notes == ("kept what `harness rescore` had added: exact on chats, chrf on chats",)
        assert found.warnings == ()
        after = document(out)
        for key in ("scores", "comparisons", "suite"):
            assert after[key] == before[key]
        assert verify(out) == []
        assert "chrF" in (out / "report.md").read_text()
    assert names(out.parent) == ["out"]


@pytest.mark.slow
def test_a_rescored_metric_is_computed_anew_for_other_answers(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    rescore(out, ["exact"], out)
    other = report(data, store, "upper")
    found = deliver(other, out, store)
    assert found.notes == ("kept what `harness rescore` had added: exact on chats",)
    assert scores(out) == {(model, metric) for model in ("first", "copy") for metric in ("f1", "exact")}
    assert verify(out) == []


def foreign(out: Path) -> Path:
    """Give a RESULT a metric as if code of its user's had been named in a rescore."""
    marker = out.parent / "it ran"
    script = out.parent / "mine.py"
    script.write_text(f"open({str(marker)!r}, 'w')\nraise SystemExit")
    rescore(out, ["exact"], out)
    text = (out / "result.json").read_text().replace('"exact"', f'"evaluate:{script}"')
    data = json.loads(text)
    for one in [*data["scores"], *data["comparisons"]]:
        one["metric"] = one["metric"].replace(f"evaluate:{script}", "evaluate:mine")
    from harness.results.document import write_document

    write_document(out, data)
    return marker


@pytest.mark.slow
def test_a_metric_of_foreign_code_is_taken_over_with_the_same_answers_and_its_code_does_not_run(
    whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    marker = foreign(out)
    before = document(out)
    found = deliver(whole, out, store)
    assert found.warnings == ()
    assert document(out)["scores"] == before["scores"]
    assert not marker.exists()


@pytest.mark.slow
def test_where_a_metric_cannot_be_computed_the_old_result_is_kept_beside(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    marker = foreign(out)
    before = document(out)
    found = deliver(report(data, store, "upper"), out, store)
    (kept,) = out.parent.glob("out.before-*")
    assert document(kept) == before
    assert not marker.exists()
    (line,) = found.warnings
    assert f"is kept as {kept}: evaluate:" in line
    assert "the metric's code is not part of the harness" in line
    assert scores(out) == {("first", "f1"), ("copy", "f1")}


def test_a_rescored_metric_comes_along_for_the_models_that_are_run_again(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    rescore(out, ["exact"], out)
    found = deliver(report(data, store, part="*/copy"), out, store)
    assert found.notes[0] == "kept what `harness rescore` had added: exact on chats"
    assert scores(out) == {("copy", "f1"), ("copy", "exact")}


@pytest.mark.slow
def test_a_metric_on_a_task_that_is_not_run_again_is_kept_beside(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    rescore(out, ["exact"], out)
    found = deliver(report(data, store, task="talks"), out, store)
    (kept,) = out.parent.glob("out.before-*")
    assert "exact on chats (the task is not part of this run) was added to it" in found.warnings[0]
    assert scores(kept) == {(model, metric) for model in ("first", "copy") for metric in ("f1", "exact")}


@pytest.mark.slow
def test_files_of_the_user_s_own_come_along(whole: Path, partial: Path, store: Store, out: Path) -> None:
    deliver(whole, out, store)
    (out / "notes.md").write_text("look at s003")
    (out / "tables" / "a").mkdir(parents=True)
    (out / "tables" / "a" / "scores.csv").write_text("1,2")
    (out / "charts" / "mine.png").write_bytes(b"png")
    (out / "latest").symlink_to("nowhere")
    drawn = (out / "charts" / "differences-1.svg").read_text()
    (out / "charts" / "differences-99.svg").write_text(drawn)  # of an older run
    (out / f".report.html.{'0' * 16}.writing").write_text("of a killed process")
    (out / "samples").mkdir(exist_ok=True)
    mine = (
        "charts/mine.svg",
        "charts/losses-1.svg",
        "charts/cost-7.svg",
        "samples/my.html",
        "samples/0007.html",
    )
    own = (*mine, "lease", "step.json", ".report.md.5")
    for name in own:
        (out / name).write_text(name)
    (out / "plans" / "empty").mkdir(parents=True)
    for source in (whole, partial, whole):
        deliver(source, out, store)
    rescore(out, ["exact"], out)
    assert (out / "notes.md").read_text() == "look at s003"
    assert (out / "tables" / "a" / "scores.csv").read_text() == "1,2"
    assert (out / "charts" / "mine.png").read_bytes() == b"png"
    assert (out / "latest").readlink() == Path("nowhere")
    assert not (out / "charts" / "differences-99.svg").exists()
    assert not (out / f".report.html.{'0' * 16}.writing").exists()
    render(out)
    assert {name: (out / name).read_text() for name in own} == {name: name for name in own}
    assert (out / "plans" / "empty").is_dir()
    assert names(out.parent) == ["out"]


@pytest.mark.slow
def test_pages_drawn_anew_leave_the_user_s_own_files(whole: Path, store: Store, out: Path) -> None:
    deliver(whole, out, store)
    (out / "samples").mkdir()
    (out / "samples" / "mine.csv").write_text("1")
    shutil.copy(out / "report.html", out / "samples" / "0007.html")  # as of a report that had more
    (out / "samples" / "0008.html").write_text("my page")
    (out / "notes.md").write_text("look")
    render(out)
    assert names(out / "samples") == ["0008.html", "mine.csv"]
    assert (out / "notes.md").read_text() == "look"


# A whole RESULT of other options.


@pytest.mark.slow
def test_a_smaller_whole_result_replaces_a_larger_one_that_the_store_still_holds_and_says_so(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    found = deliver(report(data, store, limit=3), out, store)
    assert found.notes == ()
    (line,) = found.warnings  # is printed with --quiet too
    assert (
        "had more samples (n = 12, now 3). The store still has them: `harness run small.yaml # first-line None`"
        in line
    )
    assert line.endswith(", with the suite and data of that time, writes that RESULT again")
    found = deliver(report(data, store, part="*/copy"), out, store)
    assert "had 1 score that this one lacks" in found.warnings[0]


def test_a_larger_result_that_the_store_no_longer_holds_is_kept_beside(
    data: Path, whole: Path, store: Store, out: Path
) -> None:
    deliver(whole, out, store)
    other = open_store(out.parent / "other")
    found = deliver(report(data, other, part="*/copy"), out, other)
    (kept,) = out.parent.glob("out.before-*")
    assert "it had 1 score that this one lacks, and its steps are not in this store" in found.warnings[0]
    assert verify(kept) == []


def test_a_result_changed_by_hand_is_kept_beside(whole: Path, store: Store, out: Path) -> None:
    deliver(whole, out, store)
    text = (out / "result.json").read_text().replace('"about": ""', '"about": "my words"')
    (out / "result.json").write_text(text)
    found = deliver(whole, out, store)
    (kept,) = out.parent.glob("out.before-*")
    assert "its result.json was changed by hand" in found.warnings[0]
    assert (kept / "result.json").read_text() == text
    read(out)


# Places that will not do.


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda out: out.write_text(""), "found a file"),
        (lambda out: (out.mkdir(), (out / "thesis.tex").write_text("…")), "the folder holds other things"),
        (lambda out: (out.mkdir(), (out / "result.json").write_text('{"a": 1}')), "another program's"),
        (lambda out: (out.mkdir(), (out / "result.json").write_text("{")), "its result.json is broken"),
        (lambda out: (out.mkdir(), (out / "result.json").write_text('{"schema": 99}')), "of schema 99"),
        (lambda out: out.with_name("out.partial").write_text(""), "out.partial: found a file"),
    ],
)
def test_what_is_no_result_is_refused_before_any_work_and_stays(
    store: Store, out: Path, make: Any, said: str
) -> None:
    make(out)
    before = sorted(out.parent.rglob("*"))
    with pytest.raises(HarnessError, match=said):
        delivery.refuse(out, store)
    assert sorted(out.parent.rglob("*")) == before


def test_a_store_within_the_result_s_folder_is_refused(store: Store) -> None:
    with pytest.raises(HarnessError, match=r"the store .* lies in it"):
        delivery.refuse(store.root.parent, store)


@pytest.mark.parametrize(
    "folder", ["done", "work", "leases", "logs", "lineage", "damaged", "drawings", "findings", "pages"]
)
def test_a_place_in_a_store_s_own_folders_is_refused(
    data: Path, whole: Path, store: Store, tmp_path: Path, folder: str
) -> None:
    other = open_store(tmp_path / "other")
    before = sorted(other.root.rglob("*"))
    for place in (other.root / folder, other.root / folder / "zz", other.root / folder / "zz" / "deeper"):
        said = rf"--out {place}: lies in {folder}/ of the store {other.root}, where steps alone write"
        with pytest.raises(HarnessError, match=said):
            delivery.refuse(place, store)
        with pytest.raises(HarnessError, match=said):
            rescore(whole, ["exact"], place)
        with pytest.raises(HarnessError, match=said):
            shareable.write(whole, place)
    assert sorted(other.root.rglob("*")) == before
    (tmp_path / "link").symlink_to(other.root / folder)
    with pytest.raises(HarnessError, match="where steps alone write"):
        delivery.refuse(tmp_path / "link" / "zz", store)
    delivery.refuse(tmp_path / folder / "zz", store)  # of no store


def test_a_report_that_another_run_writes_into_is_not_published(
    whole: Path, store: Store, out: Path, tmp_path: Path
) -> None:
    torn = Path(shutil.copytree(whole, tmp_path / "torn"))
    deliver(whole, out, store)
    before = document(out)
    (torn / "rows.parquet").write_bytes(b"half")
    with pytest.raises(HarnessError, match="another run may write there: run the same command again"):
        deliver(torn, out, store)
    assert document(out) == before
    assert names(tmp_path) == ["out", "torn"]


def mine(out: Path) -> None:
    """Files of the user's own at names that the harness writes to."""
    for name in ("differences-1.svg", "differences-1-dark.svg", "losses.svg"):
        (out / "charts" / name).write_text(f"my {name}")
    (out / "samples").write_text("my samples")
    (out / "report.html").write_text("my page")


def kept(out: Path) -> dict[str, str]:
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if ".kept" in path.name}
    return {name: path.read_text() for name, path in found.items()}


def test_files_of_the_user_at_names_that_the_harness_writes_are_kept_under_others(
    data: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    out, first = data / "named-alike", report(data, store)
    deliver(first, out, store)
    mine(out)
    deliver(first, out, store)
    found = {
        "charts/differences-1.kept.svg": "my differences-1.svg",
        "charts/differences-1-dark.kept.svg": "my differences-1-dark.svg",
        "report.kept.html": "my page",
    }
    assert kept(out) == found
    assert (out / "charts" / "losses.svg").read_text() == "my losses.svg"  # no chart of this run
    assert (out / "samples").read_text() == "my samples"
    assert capsys.readouterr().err.count("and the harness writes here: kept as") == 3
    deliver(first, out, store)
    assert kept(out) == found
    assert not capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("again", ["run", "report"])
def test_a_report_that_a_user_edited_is_kept_and_the_next_one_is_not(
    data: Path, store: Store, again: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, first = data / f"edited-{again}", report(data, store)

    def publish() -> None:
        deliver(first, out, store) if again == "run" else render(out, store.drawings)

    deliver(first, out, store)
    ours = (out / "report.md").read_text()
    publish()
    assert kept(out) == {}
    assert not capsys.readouterr().err
    (out / "report.md").write_text(edited := ours.replace("scores", "we find that it scores", 1))
    assert edited != ours
    publish()
    assert kept(out) == {"report.kept.md": edited}
    assert (out / "report.md").read_text() == ours
    assert capsys.readouterr().err.endswith("and the harness writes here: kept as report.kept.md\n")
    publish()
    assert kept(out) == {"report.kept.md": edited}
    assert not capsys.readouterr().err
    (out / "report.md").write_text(f"{ours}\nand a line at the end\n")
    publish()
    assert set(kept(out)) == {"report.kept.md", "report.kept-2.md"}


@pytest.mark.parametrize("again", ["run", "report"])
def test_a_file_of_the_user_in_the_place_of_the_folder_of_charts_is_kept(
    data: Path, store: Store, again: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, first = data / f"file-charts-{again}", report(data, store)
    deliver(first, out, store)
    shutil.rmtree(out / "charts")
    (out / "charts").write_text("my charts")
    deliver(first, out, store) if again == "run" else render(out, store.drawings)
    assert (out / "charts").is_dir()
    assert (out / "charts.kept").read_text() == "my charts"
    assert "kept as charts.kept" in capsys.readouterr().err


def test_pages_drawn_anew_keep_the_users_own_figures(data: Path, store: Store) -> None:
    out = data / "drawn-anew"
    deliver(report(data, store), out, store)
    mine(out)
    render(out, store.drawings)
    render(out, store.drawings)
    assert kept(out)["charts/differences-1.kept.svg"] == "my differences-1.svg"
    assert len(kept(out)) == 3
    assert (out / "charts" / "differences-1.svg").read_text().startswith("<svg")


def test_a_folder_of_the_user_in_the_place_of_a_page_is_kept(data: Path, store: Store) -> None:
    out, first = data / "folder-page", report(data, store)
    deliver(first, out, store)
    (out / "report.md").unlink()
    (out / "report.md").mkdir()
    for name in ("a.txt", "b.txt"):
        (out / "report.md" / name).write_text(name)
    deliver(first, out, store)
    assert (out / "report.md").is_file()
    assert sorted(path.name for path in (out / "report.kept.md").iterdir()) == ["a.txt", "b.txt"]
