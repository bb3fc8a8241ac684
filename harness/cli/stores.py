"""The folder of finished steps: looked at and cleaned."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.asked import planned
from harness.cli.options import STORE, Device, Offline, StoreFolder
from harness.report.printed import say

app = typer.Typer(no_args_is_help=True, help="Look at and clean the folder of finished steps.")


@app.command(name="ls")
def store_ls(store: StoreFolder = STORE) -> None:
    """List finished steps."""
    for step, content in _records(store):
        say(f"{step}  {content['kind']:<10}{float(str(content['seconds'])):8.1f} s  {content['label']}")


@app.command(name="du")
def store_du(store: StoreFolder = STORE) -> None:
    """Say how many bytes each kind of step takes."""
    from collections import Counter

    from harness.store import folder_bytes, open_store

    sizes: Counter[str] = Counter()
    for step, content in _records(store):
        sizes[str(content["kind"])] += folder_bytes(open_store(store).done(step))
    for kind, size in sizes.most_common():
        say(f"{size / 1e6:10.1f} MB  {kind}")
    say(f"{sum(sizes.values()) / 1e6:10.1f} MB  all")


@app.command(name="prune")
def store_prune(
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="A suite whose steps stay; may be repeated.")
    ] = None,
    store: StoreFolder = STORE,
    device: Device = "auto",
    offline: Offline = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the steps that no named suite uses."""
    from harness.store import open_store, prune

    kept = open_store(store)
    wanted = {
        step.id for suite in keep or [] for step in planned(suite, kept, None, None, device, offline, 0).steps
    }
    if not yes:
        typer.confirm(
            f"Delete every step in {store} that {', '.join(keep or ['no suite'])} does not use?", abort=True
        )
    say(f"{prune(kept, wanted) / 1e6:.1f} MB freed")


def _records(store: Path) -> "list[tuple[str, dict[str, object]]]":
    from harness.store import open_store

    kept = open_store(store)
    return [(folder.name, kept.record(folder.name)) for folder in sorted((kept.root / "done").iterdir())]
