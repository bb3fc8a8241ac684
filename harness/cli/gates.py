"""Commands about gates, and about the baselines that they compare with."""

import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completing
from harness.cli.options import Inconclusive, InconclusiveOption, OnlyPattern
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def gate(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    baseline: Annotated[
        Path | None,
        typer.Option(help="A baseline to compare with, instead of the files that the gates name."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A file of gates to use instead of the suite's own.")
    ] = None,
    inconclusive: InconclusiveOption = Inconclusive.fail,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts to this file as JUnit XML.")] = None,
    comment: Annotated[
        Path | None, typer.Option(help="Write a comment for a pull request to this file (Markdown).")
    ] = None,
) -> None:
    """Judge a RESULT by its gates: may this adapter be merged?

    Exit codes: 0 all gates passed, 1 a gate failed, 4 a gate is inconclusive, 5 a gate is invalid.
    """
    from harness.commands.gate import VerdictFiles, exit_code, refuse_none, show
    from harness.commands.gate import judge as judge_result

    judged = judge_result(result, rules, baseline)
    refuse_none(result, judged)
    show(judged, VerdictFiles(junit=junit, comment=comment), inconclusive.value, os.environ)
    if code := exit_code(judged.verdicts, inconclusive.value):
        raise typer.Exit(code)


@app.command()
def baseline(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: reports/baselines/NAME.json.")],
    only: OnlyPattern = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Also keep the rows of this metric, or * for all metrics; may be repeated.",
            autocompletion=completing.metrics,
        ),
    ] = None,
) -> None:
    """Write a file for git that later results are compared with."""
    from harness.results import baseline as kept

    kept.refuse_other(out)
    kept.write(out, kept.make(result, only=only or "*/*/*", metric_names=tuple(metric or ())))
    say(out)
