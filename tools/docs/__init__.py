"""Write the pages of docs/ that say what the code says: keys of the YAML files, options of the commands, model families."""

from pathlib import Path

from tools.docs import families, keys, learnt, options

DOCS = Path(__file__).parents[2] / "docs"


def pages() -> dict[Path, str]:
    """Return each generated page with its text."""
    return {
        DOCS / "reference.md": keys.page(),
        DOCS / "options.md": options.page(),
        DOCS / "families.md": families.page(),
        DOCS / "everything.md": learnt.page(),
    }
