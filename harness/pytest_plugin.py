"""Gates as tests: `pytest --harness-result RESULT` collects each verdict as a test.

A failed gate is a failed test, an inconclusive gate is skipped (or failed, by option), an invalid gate is an error.
Without the options no other module of the harness is imported and nothing changes.
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
    """Add the options of the harness."""
    group = parser.getgroup("harness", "gates of a RESULT as tests")
    group.addoption("--harness-result", metavar="RESULT", help="A RESULT folder: each verdict is a test.")
    group.addoption(
        "--harness-baseline",
        metavar="FILE",
        help="A baseline to compare with, instead of the files that the gates name.",
    )
    group.addoption("--harness-rules", metavar="FILE", help="A file of gates, instead of the suite's own.")
    group.addoption(
        "--harness-inconclusive",
        choices=("fail", "skip"),
        default="skip",
        help="How to treat inconclusive verdicts; default: skip.",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Judge the gates before collection, so that under xdist an error is reported once and not by every worker."""
    config = session.config
    given = {name: _path(config, name) for name in ("result", "baseline", "rules")}
    if given["result"] is None:
        if lonely := [f"--harness-{name}" for name, path in given.items() if path]:
            raise pytest.UsageError(f"{' and '.join(lonely)} without a RESULT; give --harness-result RESULT")
        return
    from harness import text as words
    from harness.commands.gate import judge, refuse_none
    from harness.errors import HarnessError
    from harness.gates.shareable import shareable

    try:
        judged = judge(given["result"], given["rules"], given["baseline"])
        refuse_none(given["result"], judged)
    except HarnessError as error:
        raise pytest.UsageError(words.line(str(error))) from error
    config.stash[JUDGED] = shareable(judged)  # names of tests go into logs and JUnit files


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return header lines: the RESULT, the gates with too few samples, and differences from the baseline."""
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
    """Add the gates to the collected tests, also if the command line names no tests."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed:
        judged, folder = collector.config.stash.get(JUDGED, None), _path(collector.config, "result")
        if judged and folder:
            path = (collector.config.invocation_params.dir / folder / "result.json").resolve()
            report.result.append(Gates.from_parent(collector, path=path, judged=judged))
    return report


class Gates(pytest.File):
    """A RESULT as a collector: its verdicts are its tests."""

    def __init__(self, *, judged: "Judgement", **place: Any) -> None:
        super().__init__(**place)
        self.judged = judged

    def collect(self) -> Iterable[pytest.Item]:
        """Yield a test for each verdict, under a unique name."""
        names: set[str] = set()
        for verdict in self.judged.verdicts:
            name = _own(_name(verdict), names)
            names.add(name)
            yield GateItem.from_parent(self, name=name, verdict=verdict)


class GateItem(pytest.Item):
    """A verdict as a test: the verdict is the outcome, and its reason the whole message."""

    def __init__(self, *, verdict: "Verdict", **place: Any) -> None:
        super().__init__(**place)
        self.verdict = verdict

    def setup(self) -> None:
        """Report an invalid gate, as an error of the set-up."""
        from harness import text as words

        if self.verdict.verdict == "invalid":
            pytest.fail(words.line(self.verdict.because), pytrace=False)

    def runtest(self) -> None:
        """Pass, skip or fail as the verdict says."""
        from harness import text as words
        from harness.report.verdicts import explained

        word, because = self.verdict.verdict, words.line(explained(self.verdict))
        if word == "inconclusive" and self.config.getoption("harness_inconclusive") == "skip":
            pytest.skip(because)
        if word != "pass":
            pytest.fail(f"{word}: {because}" if word == "inconclusive" else because, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the path of result.json and the test's name."""
        return self.path, None, self.name


@pytest.fixture(scope="session")
def harness_result(pytestconfig: pytest.Config) -> "Result":
    """Return the records of --harness-result."""
    folder = _path(pytestconfig, "result")
    if folder is None:
        pytest.skip("no RESULT given; give --harness-result RESULT")
    from harness.results import read

    return read(folder)


def _path(config: pytest.Config, name: str) -> Path | None:
    given = config.getoption(f"harness_{name}")
    return Path(given) if given else None


def _name(verdict: "Verdict") -> str:
    """Return `max_drop 1, llama2-tiny + quickstart on samsum, ROUGE-L, category = reasoning`, on one line."""
    from harness import text as words
    from harness.report import verdicts

    said = f"{words.name(verdict.gate)}, {verdicts.judged(verdict)}"
    return words.line(said)


def _own(name: str, taken: set[str]) -> str:
    """Return the name, numbered if another test has it already."""
    free, n = name, 1
    while free in taken:
        n += 1
        free = f"{name} ({n})"
    return free
