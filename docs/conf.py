"""Settings of the site: `make docs` builds it from the Markdown files of this folder, which are readable on their own."""

project = "finetune-harness"
html_title = project
extensions = ["myst_parser"]
myst_heading_anchors = 3  # so that `gates.md#baselines` is a link here as in other readers of Markdown
nitpicky = True
html_theme = "furo"  # fonts of the system; loads nothing from elsewhere
html_copy_source = False
html_show_sphinx = False
