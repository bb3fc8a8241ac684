"""The commit around a folder is the one that git names."""

import subprocess
from pathlib import Path

import pytest

from harness.files.commit import commit_around


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / "suites" / "deep").mkdir(parents=True)
    git(place, "init")
    git(place, "commit", "--allow-empty", "-m", "one")
    git(place, "commit", "--allow-empty", "-m", "two")
    return place


def test_it_is_what_git_says_of_branches_tags_and_further_working_trees(
    repository: Path, tmp_path: Path
) -> None:
    assert commit_around(repository / "suites" / "deep") == git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    assert commit_around(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--detach", "HEAD~1")
    assert commit_around(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "worktree", "add", "-b", "side", str(tmp_path / "beside"), "main")
    assert commit_around(tmp_path / "beside") == git(repository, "rev-parse", "main")
    git(tmp_path / "beside", "commit", "--allow-empty", "-m", "three")
    assert commit_around(tmp_path / "beside") == git(repository, "rev-parse", "side")


@pytest.mark.parametrize("head", ["", "nonsense", "ref: refs/heads/none", "ref: ../../../secret", "a" * 39])
def test_what_names_no_commit_gives_none(repository: Path, head: str) -> None:
    (repository.parent / "secret").write_text("not a commit")
    (repository / ".git" / "HEAD").write_text(head)
    assert commit_around(repository) == ""


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert commit_around(tmp_path) == ""
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert commit_around(tmp_path) == ""
