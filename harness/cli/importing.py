"""The commands that take what other programs have: their answers as a RESULT, their tasks as files of this project."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from harness import plugins
from harness.cli import completing
from harness.cli.importing_tasks import lm_eval_task
from harness.terminal.printed import say, warn

ANSWERS = "answers"


class FormatFirst(TyperGroup):
    """A group in which a word that names no command is the format of answers: `harness import lm-eval FOLDER -o OUT`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the formats of answers, and the other commands."""
        formats = (name.replace("_", "-") for name in plugins.names("imports"))
        return [*formats, *(name for name in self.commands if name != ANSWERS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; that of a format is the one that imports answers."""
        return self.commands.get(cmd_name) or self.commands[ANSWERS]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first word names, else the one that imports answers."""
        if args and args[0] not in self.commands:
            return ANSWERS, self.commands[ANSWERS], args
        return super().resolve_command(ctx, args)


app = typer.Typer(
    rich_markup_mode=None,
    cls=FormatFirst,
    no_args_is_help=True,
    help="Take what other programs have. `harness import FORMAT PLACE… -o OUT` is `harness import answers FORMAT …`.",
)
app.command("lm-eval-task")(lm_eval_task)


@app.command(ANSWERS)
def import_results(
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="What wrote the files: lm-eval, inspect, jsonl, or the name of a plug-in.",
            autocompletion=completing.imports,
        ),
    ],
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="PLACE...",
            help="Folders of lm_eval or its results_*.json, logs NAME.eval, or files of answers.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the new RESULT.")],
    id_column: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="For jsonl: the column of the samples' ids.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="For jsonl: the column of the answers.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="For jsonl: the column of the right answers; a list has several."
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option("--input", metavar="COLUMN", help="For jsonl: the column of the questions, if any."),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="What answered: MODEL or MODEL+ADAPTER; once for each PLACE, in their order."
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(metavar="NAME", help="For jsonl: the task's name.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="For jsonl: the metrics, the first decides: NAME,NAME; may be repeated; default: exact.",
            autocompletion=completing.metrics,
        ),
    ] = None,
) -> None:
    """Make a RESULT of answers that another program wrote.

    Several inputs become several systems of one RESULT, compared on the samples that all of them answered. Scores are
    computed from the answers; where the other program has another number, a line says both.
    """
    import sys

    from harness.commands.import_answers import import_answers, lines, remarks
    from harness.imports import ImportOptions

    options = ImportOptions(
        id=id_column,
        text=text,
        reference=reference,
        input=question,
        task=task,
        metric=tuple(name for names in metric or () for name in separate(names)),
    )
    command = " ".join(["harness", *sys.argv[1:]])
    result = import_answers(form, places, out, options, system or (), command)
    for line in lines(result):
        say(line)
    for line in remarks(result):
        warn(line)
    say(f"\nRESULT  {out}\nreport  {out / 'report.html'}")


def separate(names: str) -> list[str]:
    """Return metrics that are separated by commas; a comma in brackets separates settings."""
    found, depth = [""], 0
    for letter in names:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [name.strip() for name in found if name.strip()]
