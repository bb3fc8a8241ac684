"""The project that `harness new project NAME` writes: the shipped example `own-data` under another name."""

from collections.abc import Iterator

from harness.files import shipped

EXAMPLE = "own-data"

FILES = (
    "README.md",
    ".gitignore",
    ".github/workflows/adapter.yml",
    ".gitlab-ci.yml",
    "adapters/short.yaml",
    "data/LICENCE",
    "data/train.csv",
    "data/validation.csv",
    "data/test.csv",
    "metrics/known_team.py",
    f"suites/{EXAMPLE}.yaml",
    "suites/tasks/messages.yaml",
)


def project(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a project of that name."""
    folder = shipped.folder("examples") / EXAMPLE
    for path in FILES:
        text = (folder / path).read_text(encoding="utf-8")
        yield path.replace(EXAMPLE, name), text.replace(EXAMPLE, name)
