"""Fixtures for the core tests: real distributions, installed by pip and used in child processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "fixtures" / "distributions"
Install = Callable[[str], Path]
Child = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Install a distribution of tests/fixtures/distributions into its own folder, and return that folder."""
    folders: dict[str, Path] = {}

    def install_one(name: str) -> Path:
        if name not in folders:
            root = tmp_path_factory.mktemp(name)
            source = shutil.copytree(SOURCES / name, root / "source")  # a build writes next to the sources
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
            command += ["--no-index", "--disable-pip-version-check", "--target", str(root / "site"), str(source)]
            subprocess.run(command, check=True, timeout=300)
            folders[name] = root / "site"
        return folders[name]

    return install_one


@pytest.fixture
def child(install: Install, tmp_path: Path) -> Child:
    """Run Python with some of these distributions installed; ``settings`` are its only POLYTAPE_* variables."""

    def run(
        code: str | list[str], *dists: str | Path, status: int = 0, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        folders = [str(install(dist) if isinstance(dist, str) else dist) for dist in dists]
        inherited = os.environ.get("PYTHONPATH", "")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
        environment |= settings | {"PYTHONPATH": os.pathsep.join([*folders, inherited] if inherited else folders)}
        words = ["-c", code] if isinstance(code, str) else code
        completed = subprocess.run(
            [sys.executable, "-W", "error", *words],
            capture_output=True, text=True, encoding="utf-8", env=environment, cwd=tmp_path, timeout=120,
        )  # fmt: skip
        assert completed.returncode == status, completed.stdout + completed.stderr
        return completed

    return run


@pytest.fixture
def switching() -> Iterator[None]:
    """Let threads take turns as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
