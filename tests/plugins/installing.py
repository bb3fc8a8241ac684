"""Other packages' plug-ins, as an installer leaves them: one file each, and an entry point that names it."""

import importlib
from pathlib import Path


def install(
    folder: Path,  # on sys.path
    group: str,  # "architectures"
    name: str,
    code: str,  # of the plug-in's only file
) -> None:
    """Put a distribution with one plug-in into a folder."""
    module = f"{name.replace('-', '_')}_plugin"
    described = folder / f"{module}-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(f"[harness.{group}]\n{name} = {module}\n")
    (folder / f"{module}.py").write_text(code)
    importlib.invalidate_caches()
