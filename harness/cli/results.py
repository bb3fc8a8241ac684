"""Commands that read RESULT folders: draw pages, verify, compare, score, rank."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completing
from harness.cli.options import STORE, AllowCode, AsJson, Quiet
from harness.commands.asked import STORE_VARIABLE, print_report
from harness.errors import HarnessError
from harness.terminal.printed import say, say_json, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.metrics import Code

app = typer.Typer(rich_markup_mode=None)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    store: Annotated[
        Path, typer.Option("--store", help="The store, where drawn charts are kept.", envvar=STORE_VARIABLE)
    ] = STORE,
    shareable: Annotated[
        bool,
        typer.Option(
            "--shareable", help="Make a copy without private texts (of sources with `share: scores`)."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder of the copy.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw a RESULT's pages again, or make a copy to share."""
    from harness.files.publishing import owned_if_possible
    from harness.report import render
    from harness.run.store import Store, is_store

    drawings = Store(store).drawings if is_store(store) else None
    if shareable != (out is not None):
        raise HarnessError(
            "--shareable and --out FOLDER go together: a copy is made, the RESULT stays as it is"
        )
    if out is None:
        with owned_if_possible(result):  # a run may publish there at this moment
            render(result, drawings)
    else:
        from harness.commands import share as copies

        warn(f"{out}: {copies.write(result, out, drawings)}")
        result = out
    print_report(result, f"report  {result / 'report.html'}", quiet=quiet, as_json=as_json)


@app.command()
def verify(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    allow_code: AllowCode = False,
) -> None:
    """Recompute every score of a RESULT from its answers.

    Comparisons and the verdicts of gates are recomputed too; costs, weights, curves and notes are not.

    A score whose metric is not part of the harness is not recomputed: this is printed, and the exit code is 0 if all
    other scores are right.
    """
    from harness.commands.verify import verify as verify_result

    found = verify_result(result, _code([result], allow_code))
    for sentence in found.remarks:
        say(sentence)
    for sentence in found.not_recomputed:
        say(f"not recomputed: {sentence}")
    every = "every score" if found.every_score else "every other score"
    say(f"{result}: {every} follows from its generations")


def _code(results: "Sequence[Path]", allow_code: bool) -> "Code":
    """Return which code named by RESULTs may run; with --allow-code, print each script first."""
    from harness.metrics import OWN
    from harness.results.code import lines, scripts_outside

    if not allow_code:
        return OWN
    shown = scripts_outside(results)
    for line in lines(shown):
        warn(line)
    return shown


@app.command()
def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help="A RESULT folder, or one system of it: 'RESULT#model+adapter'.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="Another RESULT, or another system of the same.")],
    task: Annotated[str, typer.Option(help="Only these tasks; a pattern with * and ?.")] = "*",
    metric: Annotated[
        str | None,
        typer.Option(
            help="The metrics to compare, a pattern with * and ?; default: each task's primary metric."
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show the N samples that changed most.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the comparison to this file as Markdown.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two RESULTs or two systems, sample by sample.

    Says which differences are significant, and what else differs between A and B: prompts, data, versions.
    """
    from harness.compare import side_by_side
    from harness.files.json_lines import refuse_other_kind
    from harness.report import side_by_side as page

    if markdown:
        refuse_other_kind(markdown, (".md", ".markdown"), "page in Markdown", "--markdown")
    found = side_by_side(a, b, task=task, metric=metric, seed=seed, samples=samples)
    if markdown:
        page.write_markdown(found, markdown)
    say_json(page.as_json(found)) if as_json else page.show(found)


@app.command()
def rescore(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    metric: Annotated[
        list[str],
        typer.Option(
            help="The metric to add: NAME, 'NAME(SETTING=VALUE)' or PATH.py; may be repeated.",
            autocompletion=completing.metrics,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write a new RESULT to this folder; without it, the RESULT itself is extended."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Recompute metrics that the RESULT already has.")
    ] = False,
) -> None:
    """Score a RESULT's answers with further metrics.

    No model is loaded: the answers that the RESULT keeps are scored.
    """
    from harness.commands.delivery import metric_warnings
    from harness.commands.rescore import lines
    from harness.commands.rescore import rescore as rescore_result
    from harness.results import read_document

    out = out or result
    for line in lines(rescore_result(result, metric, out, again=again)):
        say(line)
    for line in metric_warnings(read_document(out)):
        warn(line)
    say(f"\nRESULT  {out}\npages   as they were; `harness report {out}` draws them again")


@app.command()
def leaderboard(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT...", help="RESULT folders, or folders that contain several."),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="The file to write, NAME.html, .md or .csv; may be repeated; default: reports/leaderboard, all three.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="First recompute every score from its answers.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is out of date.")
    ] = False,
    allow_code: AllowCode = False,
) -> None:
    """Rank the systems of several RESULTs, with rank intervals.

    Only systems that were scored by the same metric on the same samples are ranked together.
    """
    from harness import text as words
    from harness.commands import leaderboard as boards

    outs = out or [Path(f"reports/leaderboard{ending}") for ending in (".html", ".md", ".csv")]
    boards.refuse_other_endings(outs)
    code = _code(boards.folders(results), allow_code and verify)
    board, runs = boards.make(results, verified=verify, code=code)
    for refusal in board.refused:
        warn(f"{'skipped' if refusal.skipped else 'left out'}: {refusal.run}: {refusal.problem}")
    for run in board.unchecked:
        warn(f"not all recomputed: {run}: a metric's code is not part of this harness")
    flags = [*([] if verify else ["--no-verify"]), *(["--allow-code"] if allow_code else [])]
    for path in outs:
        (boards.check if check else boards.write)(board, runs, path, boards.command(results, path, flags))
        say(f"{path}: {'up to date' if check else words.plural(len(board.runs), 'run')}")
    if not all(refusal.skipped for refusal in board.refused):
        raise typer.Exit(2)
