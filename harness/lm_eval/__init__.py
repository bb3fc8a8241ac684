"""Read task files of lm-evaluation-harness 0.4.13, and ask as it asks.

    PATH.yaml ─ read ─▶ LmTask ─┬ suite ─▶ a Task of this harness
                                └ data ─▶ rows: the text before a question, the question, its choices and its answer

A task file describes prompts as names of columns, as jinja templates or, behind a permission, as Python functions.
"""

VERSION = "0.4.13"  # of lm-evaluation-harness, whose prompts are made
SCHEME = "lm_eval"  # of a source's uri: the samples of a task file
ENTRY = "lm-eval:"  # begins the name of a task file in a suite

# Columns that are made of each document, beside the document's own.
BEFORE, ASKED, REFERENCE = "_before", "_input", "_reference"
CHOICES, CONTINUATIONS = "_choices", "_continuations"
