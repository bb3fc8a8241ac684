"""What the hub refuses, and a hub out of reach, as told to the user."""

import pytest

from harness.checkpoints import hub
from harness.errors import HubError


def refusal(kind: str, status: int) -> Exception:
    """The client's own error, as its HTTP library would have raised it."""
    from huggingface_hub import errors

    transport = __import__(errors.HfHubHTTPError.__mro__[1].__module__.partition(".")[0])
    response = transport.Response(status, request=transport.Request("GET", "https://huggingface.co/api"))
    error: Exception = getattr(errors, kind)("refused", response=response)
    return error


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        (
            "GatedRepoError",
            403,
            ("gated; accept its licence at https://huggingface.co/meta-llama/Llama-2-7b-hf", "HF_TOKEN"),
        ),
        ("RepositoryNotFoundError", 404, ("no such model, or it is private", "HF_TOKEN")),
        ("RevisionNotFoundError", 404, ("no revision 'v9'", "/commits")),
        (
            "HfHubHTTPError",
            503,
            ("the hub cannot be reached (HfHubHTTPError)", "--offline", "`uri: file:PATH`"),
        ),
    ],
)
def test_what_the_hub_refuses_is_told(kind: str, status: int, told: tuple[str, ...]) -> None:
    with pytest.raises(HubError) as caught, hub.hub_errors("meta-llama/Llama-2-7b-hf", "model", "v9"):
        raise refusal(kind, status)
    assert all(words in str(caught.value) for words in ("hub:meta-llama/Llama-2-7b-hf: ", *told))


def test_a_hub_that_nobody_answers_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real call to a port where nothing listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        HubError, match=r"hub:me/x: the hub cannot be reached \(\w+\); use --offline where the cache holds"
    ):
        hub.commit("me/x", "model", None, offline=False)
