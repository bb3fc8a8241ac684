"""Settings of the site: `make docs` builds it from the Markdown files of this folder, which are readable on their own."""

from pygments.lexers.data import JsonLexer
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "finetune-harness"
html_title = project
extensions = ["myst_parser"]
myst_heading_anchors = 3  # so that `gates.md#baselines` is a link here as in other readers of Markdown
nitpicky = True
html_theme = "furo"  # fonts of the system; loads nothing from elsewhere
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Name the languages of blocks that the highlighter does not know."""
    app.add_lexer("csv", TextLexer)
    app.add_lexer("jsonl", JsonLexer)
