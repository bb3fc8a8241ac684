"""nltk's own Porter stemmer without the rest of nltk, which brings half of scipy along: 1.6 s of imports in all."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec


def porter() -> Callable[[str], str]:
    """`nltk.stem.porter.PorterStemmer().stem`, however little of nltk has to be loaded for it."""
    if "nltk" in sys.modules:
        return _stem()
    try:
        with _bare("nltk", "nltk.stem"):
            return _stem()
    except (ImportError, AttributeError):
        return _stem()  # an nltk whose stemmer needs what its packages hold


def _stem() -> Callable[[str], str]:
    stem: Callable[[str], str] = import_module("nltk.stem.porter").PorterStemmer().stem
    return stem


@contextmanager
def _bare(top: str, *below: str) -> Iterator[None]:
    """Packages that know where their modules are but ran nothing themselves; forgotten again with these modules."""
    try:
        for name in (top, *below):
            spec = find_spec(name)
            if spec is not None:
                sys.modules[name] = module_from_spec(spec)
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == top]:
            del sys.modules[name]
