"""Commands about the store, the folder of finished steps."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import completing
from harness.cli.options import STORE, Device, Offline, StoreFolder
from harness.commands.asked import planned
from harness.errors import HarnessError, StoreError
from harness.terminal.printed import say

if TYPE_CHECKING:
    from harness.run.store import Store

app = typer.Typer(no_args_is_help=True, help="List, measure, verify or clean the folder of finished steps.")


@app.command(name="ls")
def store_ls(store: StoreFolder = STORE) -> None:
    """List the finished steps."""
    from harness.run.store import existing_store

    for step, content in _records(existing_store(store)):
        if isinstance(content, StoreError):
            say(f"{step}  damaged: {content}")
        else:
            say(f"{step}  {content['kind']:<10}{content['seconds']:8.1f} s  {content['label']}")


@app.command(name="du")
def store_du(store: StoreFolder = STORE) -> None:
    """Print how much disk space each kind of step takes."""
    from collections import Counter

    from harness.run.store import existing_store
    from harness.run.upkeep import folder_bytes

    kept = existing_store(store)
    sizes: Counter[str] = Counter()
    for step, content in _records(kept):
        kind = "damaged" if isinstance(content, StoreError) else content["kind"]
        sizes[kind] += folder_bytes(kept.done(step))
    for kind, size in sizes.most_common():
        say(f"{size / 1e6:10.1f} MB  {kind}")
    say(f"{sum(sizes.values()) / 1e6:10.1f} MB  all")


@app.command(name="verify")
def store_verify(store: StoreFolder = STORE) -> None:
    """Check every finished step against its digests.

    Reads all files and changes nothing; exit code 3 if a step is damaged.
    """
    from harness import text as words
    from harness.run.store import existing_store
    from harness.run.upkeep import verify

    kept = existing_store(store)
    verified = verify(kept)
    for step, damage in verified.damaged.items():
        say(f"{kept.done(step)}: {damage}")
    intact = verified.steps - len(verified.damaged) - verified.undigested
    unknown = f", {verified.undigested} older than digests" if verified.undigested else ""
    say(
        f"{words.plural(verified.steps, 'finished step')}: {intact} intact, {len(verified.damaged)} damaged{unknown}"
    )
    if verified.damaged:
        raise typer.Exit(3)


@app.command(name="prune")
def store_prune(
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            help="A suite whose steps are kept; may be repeated.",
            autocompletion=completing.suites,
        ),
    ] = None,
    store: StoreFolder = STORE,
    device: Device = "auto",
    offline: Offline = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Delete finished steps, but for those of suites to keep.

    Steps that a running `harness run` needs are kept too.
    """
    from harness.run.store import existing_store
    from harness.run.upkeep import prune

    kept = existing_store(store)
    wanted = {
        step.id for suite in keep or [] for step in planned(suite, kept, None, None, device, offline, 0).steps
    }
    if not (yes or _confirmed(store, keep or [])):
        say("nothing was deleted")
        return
    try:
        pruned = prune(kept, wanted)
    except OSError as error:
        raise StoreError(f"--store {store}: cannot be cleaned: {error.strerror}") from error
    if pruned.in_use:
        say(f"{pruned.in_use} finished steps are kept: a running command needs them")
    say(f"{pruned.freed / 1e6:.1f} MB freed")


def _confirmed(store: Path, keep: Sequence[str]) -> bool:
    """Ask whether to delete; raise HarnessError where nobody can answer."""
    which = (
        f"every step in {store} that {' and '.join(keep)} do not need" if keep else f"every step in {store}"
    )
    if len(keep) == 1:
        which = which.replace(" do not need", " does not need")
    try:
        return typer.confirm(f"Delete {which}?", err=True)
    except typer.Abort as left:
        if isinstance(left.__context__, EOFError):
            raise HarnessError(
                f"\ncannot ask whether to delete {which}, since there is no terminal; add --yes"
            ) from None
        raise


def _records(store: "Store") -> "Iterator[tuple[str, dict[str, Any] | StoreError]]":
    """Yield each finished step's record, or what is wrong with it."""
    for step in store.finished():
        try:
            yield step, store.record(step)
        except StoreError as error:
            yield step, error
