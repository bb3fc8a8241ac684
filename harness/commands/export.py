"""Export a RESULT to other programs: tables, trackers of experiments, lm-evaluation-harness."""

from pathlib import Path

from harness import plugins
from harness.errors import HarnessError
from harness.files.json_lines import writing
from harness.report import render
from harness.results import ours, redact


def export(result: Path, target: str, *, uri: str | None, out: Path | None, offline: bool = False) -> str:
    """Export a RESULT without private texts to a target of `harness/exports/`; return what was written where."""
    plugin = plugins.find("exports", target.replace("-", "_"), "--to")
    places = {"uri": uri, "folder": None if out is None else str(out)}
    place = places.pop(plugin.PLACE)
    if place is None or any(other is not None for other in places.values()):
        wanted = "--uri URI" if plugin.PLACE == "uri" else "-o FOLDER"
        raise HarnessError(f"--to {target}: give {wanted} and no other place")
    if offline and plugin.PLACE == "uri" and place.partition(":")[0] not in ("file", "sqlite"):
        raise HarnessError("--uri: --offline allows no network; give file:FOLDER or sqlite:///FILE")
    if out is not None:
        ours.refuse_links_on_the_way(result, out, "-o")
    with redact.view(result) as folder:
        if plugin.PAGES and folder != result:
            render(folder)
        if out is None:
            return str(plugin.export(folder, place))
        with writing(out, "-o"):
            return str(plugin.export(folder, place))
