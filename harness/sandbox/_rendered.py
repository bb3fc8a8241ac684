"""Render one template in a sandbox's process, and say why it failed."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Compiled(Protocol):
    """A template of jinja."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Return the template's text with these variables."""
        ...


def rendered(
    compiled: Callable[[str], Compiled],
    template: str,
    variables: Mapping[str, Any],
    longest: int,  # characters
) -> dict[str, str]:
    """Return the text of a template, or why it failed; memory that runs out is the process's own affair."""
    try:
        text = compiled(template).render(variables)
    except MemoryError:
        raise
    except Exception as error:  # any error of a template is reported to the user
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"text": text} if len(text) <= longest else {"failed": f"wrote {len(text):,} characters"}
