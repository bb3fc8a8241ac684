"""Show many RESULTs: on a server of this machine, or as a folder of pages for any web server (`harness view`)."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import text as words
from harness.commands import bundle, runs
from harness.commands.serve import Server
from harness.commands.site import Collection, Settings, Site, SiteReader, problems, refuse_absent
from harness.errors import ResultError
from harness.run.store import Store, is_store

Say = Callable[[str], None]


def serve(folder: Path, store: Path, port: int, *, verified: bool, say: Say, warn: Say) -> None:
    """Serve the pages of a folder's RESULTs until Ctrl-C; `say` gets the address."""
    runs_of = Store(store.resolve())
    reader = SiteReader(folder)
    found = _found(reader, folder, going_on=bool(runs.going_on(runs_of)))
    drawings = runs_of.drawings if is_store(store) else None
    settings = Settings(
        title=words.visible(folder.resolve().name), verified=verified, store=runs_of, drawings=drawings
    )
    with TemporaryDirectory() as work, Server(Site(reader, Path(work), settings).page, port) as server:
        for line in problems(found.unreadable):
            warn(line)
        say(f"{words.plural(len(found.rows), 'RESULT')} of {folder} at {server.address}\nCtrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:  # how it is meant to end
            say("ended")


def write_bundle(folder: Path, out: Path, store: Path, *, verified: bool, warn: Say) -> int:
    """Write the pages of a folder's RESULTs to another folder; return their number."""
    _found(SiteReader(folder), folder)
    drawings = Store(store).drawings if is_store(store) else None
    count, lost = bundle.write(folder, out, verified=verified, drawings=drawings)
    for line in problems(lost):
        warn(line)
    return count


def _found(reader: SiteReader, folder: Path, *, going_on: bool = False) -> Collection:
    """Return the folder's RESULTs; raise ResultError if there is nothing to show."""
    refuse_absent(folder)
    found = reader.read()
    if not found.rows and not found.unreadable and not going_on:
        raise ResultError(f"{folder}: contains no RESULT; a RESULT folder contains a result.json")
    return found
