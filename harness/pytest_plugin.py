"""Gates as tests: `pytest --harness-result RESULT` collects every verdict as one.

A gate that failed is a failed test, one that cannot tell is skipped (or failed, as asked), an invalid one is an error.
Without the options nothing of the harness is imported and nothing changes.
"""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.results import Result
    from harness.types import Judgement, Verdict

JUDGED = pytest.StashKey["Judgement"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("harness", "gates of a RESULT as tests")
    group.addoption("--harness-result", metavar="RESULT", help="A RESULT folder: each verdict is a test.")
    group.addoption(
        "--harness-baseline",
        metavar="FILE",
        help="What to compare with, in place of the files that gates name.",
    )
    group.addoption("--harness-rules", metavar="FILE", help="A file of gates, in place of the suite's own.")
    group.addoption(
        "--harness-inconclusive",
        choices=("fail", "skip"),
        default="skip",
        help="What a verdict that cannot be told comes to; default: skip.",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Judges before anything is collected: under xdist what is wrong is said once, and not by every worker."""
    config = session.config
    given = {name: _path(config, name) for name in ("result", "baseline", "rules")}
    if given["result"] is None:
        if lonely := [f"--harness-{name}" for name, path in given.items() if path]:
            raise pytest.UsageError(f"{' and '.join(lonely)} without a result; give --harness-result RESULT")
        return
    from harness import text as words
    from harness.commands.gate import judge, refuse_none
    from harness.errors import HarnessError

    try:
        judged = judge(given["result"], given["rules"], given["baseline"])
        refuse_none(given["result"], judged)
    except HarnessError as error:
        raise pytest.UsageError(words.line(str(error))) from error
    config.stash[JUDGED] = judged


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which result, the gates of too few samples, and what differs from a baseline."""
    judged = config.stash.get(JUDGED, None)
    if judged is None:
        return []
    from harness import text as words
    from harness.report import verdicts

    about = f"harness: {words.plural(len(judged.verdicts), 'gate')} of {_path(config, 'result')}"
    few = (f"few samples: {text}" for text in verdicts.warnings(judged))
    return [*map(words.line, [about, *few, *(f"note: {text}" for text in judged.remarks)])]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Puts the gates beside what the command line names, which may be nothing."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed:
        judged, folder = collector.config.stash.get(JUDGED, None), _path(collector.config, "result")
        if judged and folder:
            path = (collector.config.invocation_params.dir / folder / "result.json").resolve()
            report.result.append(Gates.from_parent(collector, path=path, judged=judged))
    return report


class Gates(pytest.File):
    """A result, whose verdicts are its tests."""

    def __init__(self, *, judged: "Judgement", **place: Any) -> None:
        super().__init__(**place)
        self.judged = judged

    def collect(self) -> Iterable[pytest.Item]:
        names: set[str] = set()
        for verdict in self.judged.verdicts:
            name = _own(_name(verdict), names)
            names.add(name)
            yield GateItem.from_parent(self, name=name, verdict=verdict)


class GateItem(pytest.Item):
    """A verdict: what it says is the test's outcome, and its reason all that is told."""

    def __init__(self, *, verdict: "Verdict", **place: Any) -> None:
        super().__init__(**place)
        self.verdict = verdict

    def setup(self) -> None:
        from harness import text as words

        if self.verdict.verdict == "invalid":
            pytest.fail(words.line(self.verdict.because), pytrace=False)

    def runtest(self) -> None:
        from harness import text as words
        from harness.report.verdicts import told

        word, because = self.verdict.verdict, words.line(told(self.verdict))
        if word == "inconclusive" and self.config.getoption("harness_inconclusive") == "skip":
            pytest.skip(because)
        if word != "pass":
            pytest.fail(f"{word}: {because}" if word == "inconclusive" else because, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


@pytest.fixture(scope="session")
def harness_result(pytestconfig: pytest.Config) -> "Result":
    """The records of --harness-result."""
    folder = _path(pytestconfig, "result")
    if folder is None:
        pytest.skip("no result to look at; give --harness-result RESULT")
    from harness.results import read

    return read(folder)


def _path(config: pytest.Config, name: str) -> Path | None:
    given = config.getoption(f"harness_{name}")
    return Path(given) if given else None


def _name(verdict: "Verdict") -> str:
    """`max_drop 1, llama2-tiny + quickstart on samsum, ROUGE-L, category = reasoning`, in one line."""
    from harness import text as words
    from harness.report import verdicts

    said = f"{words.name(verdict.gate)}, {verdicts.judged(verdict)}"
    return words.line(said)


def _own(name: str, taken: set[str]) -> str:
    """The name, numbered where others have it already."""
    free, n = name, 1
    while free in taken:
        n += 1
        free = f"{name} ({n})"
    return free
