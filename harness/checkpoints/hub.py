"""The Hugging Face hub: commits and their files, with errors that say how to fix each failure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from harness.errors import HubError

Kind = Literal["model", "dataset"]


def commit(repository: str, kind: Kind, revision: str | None, *, offline: bool) -> str:
    """Return the commit that a branch, a tag or None (the default branch) means today; offline, the commit in the cache."""
    from huggingface_hub import HfApi

    if revision is not None and len(revision) == 40 and not set(revision) - set("0123456789abcdef"):
        return revision
    if offline or switched_off():
        ref = cached(repository, kind) / "refs" / (revision or "main")
        if not ref.is_file():
            raise HubError(_not_in_cache(repository, kind, revision))
        return ref.read_text().strip()
    with hub_errors(repository, kind, revision):
        found = HfApi().repo_info(repository, repo_type=kind, revision=revision).sha
        if found is None:
            raise HubError(f"hub:{repository}: the hub names no commit; give a revision of 40 hex digits")
        return found


def snapshot(
    repository: str, kind: Kind, revision: str, patterns: Sequence[str] | None, *, offline: bool
) -> Path:
    """Return the folder of a commit's files; missing files that match a pattern are downloaded."""
    from huggingface_hub import snapshot_download

    with hub_errors(repository, kind, revision):
        folder = snapshot_download(
            repository,
            repo_type=kind,
            revision=revision,
            allow_patterns=list(patterns) if patterns else None,
            local_files_only=offline,
        )
    return Path(folder)


def upload(repository: str, path: Path, name: str, message: str) -> str:
    """Commit a file to a model's existing repository and return the commit's address."""
    from huggingface_hub import HfApi, errors

    where = f"hub:{repository}"
    try:
        done = HfApi().upload_file(
            path_or_fileobj=path.read_bytes(), path_in_repo=name, repo_id=repository, commit_message=message
        )
    except errors.HFValidationError as error:
        raise HubError(f"{where}: not the name of a repository; give OWNER/NAME") from error
    except ValueError as error:  # the client checks a README's metadata first
        found = " ".join(str(error).split())
        raise HubError(f"{where}: the hub refuses the file: {found}; correct {path}") from error
    except errors.RepositoryNotFoundError as error:
        raise HubError(
            f"{where}: no such model, or it is private; upload the adapter first, and set HF_TOKEN to a token that may "
            "write there"
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        lines = (error.server_message or "").strip().splitlines()
        hint = (
            "set HF_TOKEN to a token that may write there"
            if status in (401, 403)
            else f"{path} is written, push it later"
        )
        raise HubError(
            f"{where}: the hub refuses ({': '.join([str(status), *lines[:1]])}); {hint}"
        ) from error
    except _unreachable() as error:
        raise HubError(
            f"{where}: the hub cannot be reached ({type(error).__name__}); {path} is written, push it later"
        ) from error
    return str(done.commit_url)


def switched_off() -> bool:
    """Return whether the environment (HF_HUB_OFFLINE) keeps the client from the network."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached(repository: str, kind: Kind) -> Path:
    """Return the folder of a repository in the client's cache: refs/BRANCH has a commit, snapshots/COMMIT its files."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / "--".join((f"{kind}s", *repository.split("/")))


@contextmanager
def hub_errors(repository: str, kind: Kind, revision: str | None) -> Iterator[None]:
    """Turn the client's failures into a HubError that says how to fix them."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{repository}"
    try:
        yield
    except errors.HFValidationError as error:
        raise HubError(f"hub:{repository}: not the name of a {kind}; write hub:OWNER/NAME") from error
    except errors.GatedRepoError as error:
        raise HubError(
            f"hub:{repository}: gated; accept its licence at {page}, then set HF_TOKEN to a token of that account"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise HubError(
            f"hub:{repository}: no such {kind}, or it is private; look at {page}, and set HF_TOKEN if it is yours; "
            "a folder of this machine is written ./PATH"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise HubError(f"hub:{repository}: no revision {revision!r}; see {page}/commits") from error
    except errors.LocalEntryNotFoundError as error:
        raise HubError(_not_in_cache(repository, kind, revision)) from error
    except _unreachable() as error:
        raise HubError(
            f"hub:{repository}: the hub cannot be reached ({type(error).__name__}); {_WITHOUT_NETWORK[kind]}"
        ) from error


def _unreachable() -> tuple[type[Exception], ...]:
    """Return the errors that a call without a network raises.

    The client's HTTP library has changed more than once; the root of its errors is a parent of the client's own.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return (OSError, *(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError"))


_WITHOUT_NETWORK = {
    "model": "use --offline where the cache holds the model, or give a local folder: `uri: file:PATH`",
    "dataset": "use --offline where the cache holds the data, or give local files: `uri: file:PATH`",
}


def _not_in_cache(repository: str, kind: Kind, revision: str | None) -> str:
    at = f"revision {revision}" if revision else "its default branch"
    return (
        f"hub:{repository}: {at} is not complete in the local cache {cached(repository, kind)} and the hub is out of reach; "
        f"run once without --offline where there is a network, or give a local {'folder' if kind == 'model' else 'file'}: "
        "`uri: file:PATH`"
    )
