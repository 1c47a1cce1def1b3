"""Shared code of the commands: a virtual environment with this checkout installed in it. Standard library only."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["CHECKOUT", "Environment", "Steps", "say", "sources"]

CHECKOUT = Path(__file__).resolve().parent.parent
# What an installation of the checkout itself depends on; one of another folder depends on all of its files.
_CHECKOUT = ("pyproject.toml", "setup.py", "core", "backends")
# What builds and tools write beside the sources. If that counted, every installation would outdate all the others.
_GENERATED = ("__pycache__", "build", "dist")
_GENERATED_SUFFIXES = (".egg-info", ".pyc", ".pyd", ".so")


def say(text: str) -> None:
    """Print a heading that stands out from the output of the steps."""
    print(f"\n== {text}", flush=True)


class Environment:
    """A virtual environment for this checkout.

    Args:
        folder: the folder of the environment, which may not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")

    def run(self, command: Sequence[str | Path], *, cwd: Path = CHECKOUT, env: Mapping[str, str] | None = None) -> int:
        """Run a command with the environment's programs first on the PATH; return its exit status."""
        variables = {**os.environ, "VIRTUAL_ENV": str(self.folder), **(env or {})}
        variables["PATH"] = os.pathsep.join([str(self.scripts), os.environ.get("PATH", "")])
        variables.pop("PYTHONHOME", None)
        return subprocess.run([str(part) for part in command], cwd=cwd, env=variables, check=False).returncode

    def install(self, requirements: Sequence[str], *, compile_ring: str = "") -> None:
        """Create the environment if necessary, and install the requirements unless they are up to date.

        Args:
            requirements: the requirements passed to pip, for example ``[".[examples]"]``.
            compile_ring: the value of POLYTAPE_COMPILE; "" leaves it unchanged.

        Raises:
            SystemExit: Python is too old or has no venv, or pip failed.
        """
        self._create()
        stamp = self.folder / "polytape-installed.txt"
        choice = compile_ring or os.environ.get("POLYTAPE_COMPILE", "")
        state = _digest(requirements, [choice, sys.version])
        if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
            say(f"{_short(self.folder)} is up to date")
            return
        minutes = "1 to 3 minutes" if choice == "0" else "2 to 5 minutes, most of them for compiling the ring"
        say(f"installing {' '.join(requirements)} and what it needs into {_short(self.folder)} ({minutes})")
        stamp.unlink(missing_ok=True)
        env = {"POLYTAPE_COMPILE": compile_ring} if compile_ring else {}
        # pip reinstalls a local folder even if its version has not changed.
        if self.run([self.python, "-m", "pip", "install", "--quiet", *requirements], env=env):
            raise SystemExit(f"pip could not install {' '.join(requirements)}; see its output above")
        self.run([self.python, "-c", "from polytape import buildinfo; print(buildinfo.description())"], cwd=self.folder)
        stamp.write_text(state, encoding="utf-8")

    def _create(self) -> None:
        if sys.version_info < (3, 11):  # noqa: UP036 - this may run on any Python
            raise SystemExit(
                f"polytape needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable})"
            )
        if self.python.exists():
            return
        say(f"creating a virtual environment in {_short(self.folder)} (10 s)")
        if subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=False).returncode:
            raise SystemExit("python -m venv failed; on Debian and Ubuntu, install the package python3-venv first")


def sources(requirement: str) -> list[Path]:
    """The files that a requirement is installed from, if it is a folder of the checkout, such as ``.[test]``."""
    folder = (CHECKOUT / requirement.partition("[")[0]).resolve()
    if not requirement.startswith(".") or not folder.is_dir():
        return []
    tops = [CHECKOUT / name for name in _CHECKOUT] if folder == CHECKOUT else [folder]
    paths = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    return sorted(path for path in paths if path.is_file() and not _is_generated(path.relative_to(CHECKOUT)))


def _is_generated(path: Path) -> bool:
    return any(part in _GENERATED or part.startswith(".") or part.endswith(_GENERATED_SUFFIXES) for part in path.parts)


def _digest(requirements: Sequence[str], others: Sequence[str]) -> str:
    """A digest of the requirements, of the files they are installed from, and of ``others``."""
    digest = hashlib.sha256("\0".join([*requirements, *others]).encode())
    for requirement in requirements:
        for path in sources(requirement):
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _short(folder: Path) -> str:
    return str(folder.relative_to(CHECKOUT)) if folder.is_relative_to(CHECKOUT) else str(folder)


class Steps:
    """Runs named steps one after another, continues after a failure, and prints a summary.

    Args:
        environment: the default environment of the steps.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.results: list[tuple[str, int, float]] = []

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Environment | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = CHECKOUT,
        takes: str = "",
    ) -> None:
        """Run one step, after saying about how long it takes; record its exit status and its duration in seconds."""
        say(f"{name} ({takes})" if takes else name)
        begin = time.monotonic()
        status = (environment or self.environment).run(command, env=env, cwd=cwd)
        self.results.append((name, status, time.monotonic() - begin))

    def summary(self) -> int:
        """Print the result of each step; return 1 if any step failed, otherwise 0."""
        say("summary")
        for name, status, seconds in self.results:
            print(f"{'ok    ' if status == 0 else 'FAILED'} {seconds:6.1f} s  {name}")
        return int(any(status for _, status, _ in self.results))
