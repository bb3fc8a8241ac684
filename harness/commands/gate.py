"""Gates of a RESULT, judged and told: on the terminal, as JUnit XML, as a comment, to GitHub."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultError
from harness.files.json_lines import refuse_other_kind, write_text
from harness.gates.judge import judge as judge_gates
from harness.report import junit, verdict_table
from harness.report.verdicts import Inconclusive
from harness.results import verdicts as gates
from harness.results.baseline import load
from harness.suite.load import load_rules
from harness.terminal import printed
from harness.types import Judgement, Verdict

_JUNIT = re.compile(r"\s*(<\?xml[^>]*>\s*)?<testsuites\b")
MARKER = "harness gate"
CODES = {"invalid": 5, "fail": 1, "inconclusive": 4}  # the worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFiles:
    """Where to write what was judged."""

    junit: Path | None = None
    comment: Path | None = None


def judge(folder: Path, rules: Path | None, baseline: Path | None) -> Judgement:
    """A RESULT by its suite's gates, or by those of a file."""
    if baseline is not None:
        load(baseline)  # one that cannot be read is a mistake of the command line
    if rules is None:
        return judge_gates(folder, baseline=baseline)
    asked, family_error = load_rules(str(rules))
    return judge_gates(folder, asked, family_error=family_error, baseline=baseline)


def refuse_none(folder: Path, judged: Judgement) -> None:
    """Nothing that was asked is nothing that passed."""
    if not judged.verdicts:
        raise ResultError(
            f"{folder}: its suite has no gates; write them into the suite, or name a file of gates: "
            "--rules FILE (for pytest, --harness-rules FILE)"
        )


def exit_code(verdicts: Iterable[Verdict], inconclusive: Inconclusive) -> int:
    """0 where all passed, else the worst verdict's."""
    found = {one.verdict for one in verdicts}
    return next(
        (
            code
            for word, code in CODES.items()
            if word in found and not (word == "inconclusive" and inconclusive != "fail")
        ),
        0,
    )


def show(
    judged: Judgement, files: VerdictFiles, inconclusive: Inconclusive, environment: Mapping[str, str]
) -> None:
    """Writes what is asked for and prints the verdicts, in this order: a closed pipe ends the printing."""
    if files.junit:
        refuse_other_kind(files.junit, (".xml",), "JUnit XML", "--junit", _JUNIT)
    if files.comment:
        refuse_other_kind(files.comment, (".md", ".markdown"), "page in Markdown", "--comment")
    if files.junit:
        write_text(files.junit, junit.render(judged, inconclusive=inconclusive))
    if files.comment:
        from harness.report import comment  # and jinja2, which takes as long as to judge a gate

        write_text(files.comment, comment.render(judged, marker=MARKER))
    if environment.get("GITHUB_ACTIONS") != "true":
        show_verdicts(judged, inconclusive)
        return
    from harness.report import github

    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        write_text(Path(summary), github.summary(judged), "a")
    show_verdicts(judged, inconclusive)
    printed.command(github.annotations(judged, inconclusive))


def show_verdicts(judged: Judgement, inconclusive: Inconclusive) -> None:
    """The table of verdicts; plain and wide where it is piped."""
    from harness.terminal.consoles import console

    verdict_table.show(judged, console(), inconclusive)


def of_run(folder: Path) -> Judgement:
    """What the suite's own gates said when the result was made."""
    return Judgement(name=folder.name, verdicts=gates.read(folder))
