"""The distribution, built and installed for real: compiled, pure, without a compiler, and editable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BUILT_FROM = ("core", "backends", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

pytestmark = pytest.mark.slow


def has_compiler() -> bool:
    """Whether a compiler is on the path; on Windows setuptools finds it elsewhere."""
    names = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    return os.name != "nt" and bool(names) and shutil.which(names[0]) is not None


needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C compiler is on the path")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build reads, without compiled files, so that nothing is written into the real one."""
    copy = tmp_path_factory.mktemp("checkout")
    leave = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.egg-info", "build")
    for name in BUILT_FROM:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=leave)
        else:
            shutil.copy2(source, copy / name)
    return copy


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that sees this process's environment, but for PYTHONPATH and the choices of a build."""
    left_out = ("PYTHONPATH", "POLYTAPE_COMPILE", "POLYTAPE_BACKEND")
    variables = {name: value for name, value in os.environ.items() if name not in left_out}
    parts = [str(part) for part in command]
    return subprocess.run(parts, env={**variables, **(env or {})}, capture_output=True, text=True, check=False)


class Place:
    """A virtual environment that finds what polytape depends on in this one, and polytape only where installed."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self.polytape = scripts / "polytape"
        self.site = Path(run(self.python, "-c", "import sysconfig as s; print(s.get_path('purelib'))").stdout.strip())
        # Folders named in a .pth file come after the environment's own, and their own .pth files are not read.
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def install(self, *what: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """pip install, with this environment's setuptools and mypy, and no network."""
        options = ("--no-build-isolation", "--no-deps", "--no-index", "--force-reinstall", "-v")
        return run(self.python, "-m", "pip", "install", *options, *what, env=env)

    def doctor(self) -> str:
        """What `polytape doctor` prints."""
        result = run(self.polytape, "doctor")
        return result.stdout + result.stderr


def test_a_pure_install_computes_and_doctor_says_pure(checkout: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    result = place.install(checkout, env={"POLYTAPE_COMPILE": "0"})
    assert result.returncode == 0, result.stderr
    assert "pure Python" in place.doctor()
    result = run(place.python, "-c", "import polytape as pt; print((pt.asarray([1.0, 2.0]) + 1.0).numpy().sum())")
    assert result.stdout.strip() == "5.0", result.stderr


@needs_compiler
def test_a_compiled_wheel_holds_sources_too_and_doctor_says_compiled(checkout: Path, tmp_path: Path) -> None:
    options = ("--no-build-isolation", "--no-deps", "--no-index", "-w", tmp_path)
    env = {"POLYTAPE_COMPILE": "1", "CC": quick_compiler(tmp_path)}
    result = run(sys.executable, "-m", "pip", "wheel", *options, checkout, env=env)
    assert result.returncode == 0, result.stdout + result.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"polytape/tensors/tensor{SUFFIX}", "polytape/tensors/tensor.py", f"polytape__mypyc{SUFFIX}"} <= names
    assert f"polytape/errors{SUFFIX}" not in names
    assert {
        f"{package}/py.typed" for package in ("polytape", "polytape_numpy", "polytape_numba", "polytape_cupy")
    } <= names
    place = Place(tmp_path / "place")
    result = place.install(wheel)
    assert result.returncode == 0, result.stderr
    assert "compiled" in place.doctor()
    result = run(place.python, "-c", "import polytape as pt; print((pt.asarray([1.0, 2.0]) + 1.0).numpy().sum())")
    assert result.stdout.strip() == "5.0", result.stderr


@pytest.mark.skipif(os.name == "nt", reason="setuptools finds Microsoft's compiler without the path")
def test_without_a_compiler_the_install_works_in_pure_python(checkout: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    (tmp_path / "empty").mkdir()
    result = place.install(checkout, env={"PATH": str(tmp_path / "empty"), "CC": "gcc"})
    assert result.returncode == 0, result.stderr
    assert "no working C compiler" in result.stdout + result.stderr
    assert "pure Python" in place.doctor()


@pytest.mark.skipif(os.name == "nt", reason="setuptools finds Microsoft's compiler without the path")
def test_asked_to_compile_without_a_compiler_the_install_fails_and_says_why(checkout: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    (tmp_path / "empty").mkdir()
    env = {"PATH": str(tmp_path / "empty"), "CC": "gcc", "POLYTAPE_COMPILE": "1"}
    result = place.install(checkout, env=env)
    assert result.returncode != 0
    assert "the kernel ring did not compile, and POLYTAPE_COMPILE=1 requires it" in result.stdout + result.stderr


@needs_compiler
def test_a_compile_error_leaves_nothing_compiled_behind(checkout: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    compiler = tmp_path / "cc"
    # It compiles the probe and refuses the ring.
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *__native*) exit 1;; esac\nexec {real_compiler()} "$@"\n')
    compiler.chmod(0o755)
    result = place.install(checkout, env={"CC": str(compiler)})
    assert result.returncode == 0, result.stderr
    assert "continuing in pure Python" in result.stdout + result.stderr
    assert not list(place.site.glob(f"polytape*/**/*{SUFFIX}"))
    assert "pure Python" in place.doctor()


def real_compiler() -> str:
    """The compiler this Python builds extensions with, with its options."""
    return os.environ.get("CC") or str(sysconfig.get_config_var("CC"))


def quick_compiler(folder: Path) -> str:
    """A compiler that does not optimise, which would take a minute; its path."""
    compiler = folder / "quick-cc"
    compiler.write_text(f'#!/bin/sh\nexec {real_compiler()} "$@" -O0\n')
    compiler.chmod(0o755)
    return str(compiler)


def test_an_editable_install_is_pure_and_names_every_source_root(checkout: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    result = place.install("-e", checkout)
    assert result.returncode == 0, result.stderr
    (listed,) = place.site.glob("__editable__*polytape*.pth")  # mypy, pyright and IDEs follow such a file
    roots = {Path(line).resolve() for line in listed.read_text(encoding="utf-8").splitlines()}
    assert roots == {
        (checkout / root).resolve() for root in ("core", "backends/numpy", "backends/numba", "backends/cupy", "perf")
    }
    assert "pure Python" in place.doctor()


@needs_compiler
def test_a_source_newer_than_its_compiled_file_is_refused_until_rebuilt(checkout: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkout, tmp_path / "copy"))
    place = Place(tmp_path / "place")
    result = place.install("-e", copy, env={"POLYTAPE_COMPILE": "1", "CC": quick_compiler(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert "compiled" in place.doctor()
    later = time.time() + 10
    os.utime(copy / "core/polytape/tensors/tensor.py", (later, later))
    result = run(place.python, "-c", "import polytape")
    assert result.returncode != 0
    assert "tensor.py is newer" in result.stderr
    assert "POLYTAPE_COMPILE=1 pip install -e ." in result.stderr
    for compiled in copy.rglob(f"*{SUFFIX}"):  # the other way out that the error names
        compiled.unlink()
    assert "pure Python" in place.doctor()
