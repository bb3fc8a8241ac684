"""Plug-ins of other packages, as pip would install them: a file, and an entry point that names it."""

import sys
from pathlib import Path


def install(
    folder: Path,  # one that Python imports from
    group: str,
    names: tuple[str, ...],  # of entry points, all for the same file
    code: str,
) -> None:
    """Write a package whose only file is the plug-in."""
    module = f"{names[0]}_{group}_stub"
    described = folder / f"{module}-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    points = "".join(f"{name} = {module}\n" for name in names)
    (described / "entry_points.txt").write_text(f"[harness.{group}]\n{points}")
    (folder / f"{module}.py").write_text(code)
    sys.modules.pop(module, None)  # another test's
