"""The sides of a comparison: commits, or the working tree, each built into a folder of its own.

A build is kept beside the repository's objects (``.git/polytape-perf``), under the hash of its files, so the same files
are built once per ring and Python version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from polytape.errors import SettingError

__all__ = [
    "RINGS",
    "WORKING_TREE",
    "Side",
    "cases_file",
    "describe",
    "edited",
    "prepare",
    "repository",
    "text_at",
    "tree_of",
]

WORKING_TREE = "."  # the name of the working tree, with its uncommitted changes
RINGS = {"pure": "0", "compiled": "1"}  # name -> the value of POLYTAPE_COMPILE


class Side(NamedTuple):
    """A build.

    Attributes:
        label: the commit as it was given.
        folder: the build; it comes first on a worker's path.
    """

    label: str
    folder: str


def git(repo: Path, *words: str, env: dict[str, str] | None = None) -> str:
    """The output of a git command.

    Raises:
        SettingError: git fails, such as for an unknown commit.
    """
    command = ["git", "-C", str(repo), *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    if result.returncode:
        raise SettingError(
            f"git {' '.join(words)} failed.",
            expected="a commit of this repository",
            got=result.stderr.strip().splitlines()[0] if result.stderr.strip() else f"status {result.returncode}",
            fix=f"name a commit, a branch or a tag, or {WORKING_TREE!r} for the working tree",
        )
    return result.stdout.strip()


def repository() -> Path:
    """The repository of the current folder.

    Raises:
        SettingError: the folder is in none, or has no distribution.
    """
    try:
        result = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise _no_checkout("git is not installed") from None
    if result.returncode:
        raise _no_checkout(f"{Path.cwd()} is in no git repository")
    top = Path(result.stdout.strip())
    if not (top / "pyproject.toml").exists():
        raise _no_checkout(f"{top} has no pyproject.toml")
    return top


def _no_checkout(got: str) -> SettingError:
    return SettingError(
        "polytape perf compares commits, and found none.",
        expected="a checkout of polytape, or of the distribution of a backend, as the current folder",
        got=got,
        fix="clone the repository, and run the command in it",
    )


def cases_file(repo: Path) -> str:
    """The file with cases of the repository's own, which ``[tool.polytape.perf]`` in pyproject.toml names; "" for none.

    Raises:
        SettingError: the file does not exist.
    """
    content = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
    name = content.get("tool", {}).get("polytape", {}).get("perf", {}).get("cases", "")
    if name and not (repo / name).is_file():
        raise SettingError(
            f"{name} does not exist.",
            expected="the file that cases in [tool.polytape.perf] of pyproject.toml names",
            got=str(repo / name),
            fix="correct the name; it is relative to pyproject.toml",
        )
    return str(repo / name) if name else ""


def tree_of(repo: Path, commit: str) -> str:
    """The hash of a commit's files, or of those in the working tree that git does not ignore."""
    if commit != WORKING_TREE:
        return git(repo, "rev-parse", "--verify", f"{commit}^{{tree}}")
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        git_dir = Path(git(repo, "rev-parse", "--absolute-git-dir"))
        if (git_dir / "index").exists():
            shutil.copy(git_dir / "index", index)
        env = {"GIT_INDEX_FILE": str(index)}
        git(repo, "add", "--all", env=env)
        return git(repo, "write-tree", env=env)


def describe(repo: Path, commit: str) -> dict[str, str]:
    """Hash, subject and date (ISO 8601) of a commit; of the working tree, the hash of its files and the time now."""
    if commit == WORKING_TREE:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return {"sha": tree_of(repo, commit), "subject": "the working tree", "date": now}
    sha, date, subject = git(repo, "log", "-1", "--format=%H%n%cI%n%s", commit).split("\n", 2)
    utc = datetime.fromisoformat(date).astimezone(UTC).isoformat(timespec="seconds")
    return {"sha": sha, "subject": subject, "date": utc}


def text_at(repo: Path, commit: str, path: str) -> str:
    """A file's text on one side; "" if it is not there."""
    tree = tree_of(repo, commit)
    listed = git(repo, "ls-tree", "--name-only", tree, "--", path)
    return git(repo, "show", f"{tree}:{path}") if listed else ""


def prepare(repo: Path, commit: str, ring: str) -> Side:
    """Build a side, unless it is there.

    Raises:
        SettingError: the commit is unknown, or its build fails.
    """
    tree = tree_of(repo, commit)
    cache = Path(git(repo, "rev-parse", "--path-format=absolute", "--git-common-dir"), "polytape-perf")
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    folder = cache / f"{tree[:16]}-{ring}-{python}"
    if not folder.exists():
        cache.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            source, built = Path(scratch, "source"), Path(scratch, "built")
            _extract(repo, tree, source)
            _build(commit, source, built, ring)
            try:
                built.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another process was faster
                    raise
    return Side(commit, str(folder))


def edited(repo: Path, commit: str, ring: str, folder: Path, edit: Callable[[Path], None]) -> Side:
    """Build a side from files that ``edit`` changes, in a folder of the caller's; it is not kept for later runs.

    Raises:
        SettingError: the build fails.
    """
    source, built = folder / "source", folder / "built"
    _extract(repo, tree_of(repo, commit), source)
    edit(source)
    _build(commit, source, built, ring)
    return Side(commit, str(built))


def _extract(repo: Path, tree: str, folder: Path) -> None:
    folder.mkdir()
    with subprocess.Popen(["git", "-C", str(repo), "archive", tree], stdout=subprocess.PIPE) as archive:
        assert archive.stdout is not None
        with tarfile.open(fileobj=archive.stdout, mode="r|") as files:
            files.extractall(folder, filter="tar")


def _build(label: str, source: Path, target: Path, ring: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(source)]
    env = {**os.environ, "POLYTAPE_COMPILE": RINGS[ring]}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise SettingError(
            f"{label} cannot be built ({ring}).",
            expected="a distribution that pip installs",
            got=lines[-1] if lines else f"status {result.returncode}",
            fix=f"see what {' '.join(command[1:5])} . prints",
        )
