"""Look up the installed versions of other packages."""

from collections.abc import Iterable
from importlib import metadata


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution that is installed, without importing it."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
