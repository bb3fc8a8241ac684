"""Judge the gates of a RESULT and write the verdicts: on the terminal, as JUnit XML, as a comment, to GitHub."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultError
from harness.files.json_lines import refuse_other_kind, write_text
from harness.gates.judge import judge as judge_gates
from harness.gates.shareable import published, shareable
from harness.report import junit, verdict_table
from harness.report.verdicts import Inconclusive
from harness.results.baseline import load
from harness.suite.load import load_rules
from harness.terminal import printed
from harness.types import Judgement, Verdict

_JUNIT = re.compile(r"\s*(<\?xml[^>]*>\s*)?<testsuites\b")
MARKER = "harness gate"
CODES = {"invalid": 5, "fail": 1, "inconclusive": 4}  # the worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFiles:
    """Files to write the verdicts to."""

    junit: Path | None = None
    comment: Path | None = None


def judge(folder: Path, rules: Path | Mapping[str, object] | None, baseline: Path | None) -> Judgement:
    """Judge a RESULT by its suite's gates, or by the gates of a file `rules`, or of a mapping with its content."""
    if baseline is not None:
        load(baseline)  # an unreadable baseline is a mistake on the command line, not an invalid gate
    if rules is None:
        return judge_gates(folder, baseline=baseline)
    asked, family_error = load_rules(rules if isinstance(rules, Mapping) else str(rules))
    return judge_gates(folder, asked, family_error=family_error, baseline=baseline)


def refuse_none(folder: Path, judged: Judgement) -> None:
    """Raise ResultError if there are no gates: an empty list must not count as passed."""
    if not judged.verdicts:
        raise ResultError(
            f"{folder}: its suite has no gates; write gates into the suite, or name a file of gates: "
            "--rules FILE (for pytest, --harness-rules FILE)"
        )


def exit_code(verdicts: Iterable[Verdict], inconclusive: Inconclusive) -> int:
    """Return 0 if all gates passed, else the code of the worst verdict."""
    found = {verdict.verdict for verdict in verdicts}
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
    """Write the files, then print the verdicts: a closed pipe ends only the printing."""
    if files.junit:
        refuse_other_kind(files.junit, (".xml",), "JUnit XML", "--junit", _JUNIT)
    if files.comment:
        refuse_other_kind(files.comment, (".md", ".markdown"), "page in Markdown", "--comment")
    if files.junit:
        write_text(files.junit, junit.render(judged, inconclusive=inconclusive))
    if files.comment:
        from harness.report import comment  # imports jinja2, which takes as long as judging a gate

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
    """Print the table of verdicts; plain and wide if the output is piped, and in the log of a CI as others may see it."""
    from harness.terminal.consoles import console

    if published(os.environ):
        judged = shareable(judged)
    verdict_table.show(judged, console(), inconclusive)
