"""Write the pages of docs/ that say what the code says: every key of the YAML files, every option of the commands."""

from pathlib import Path

from tools.docs import keys, options

DOCS = Path(__file__).parents[2] / "docs"


def pages() -> dict[Path, str]:
    """Return each generated page with its text."""
    return {DOCS / "reference.md": keys.page(), DOCS / "options.md": options.page()}
