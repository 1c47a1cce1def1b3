"""Compiled files that no longer match their sources."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from polytape import buildinfo

SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's folder in a fake checkout, whose compiled file is as new as its source."""
    folder = tmp_path / "core" / "polytape"
    (folder / "checkpoint").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    for path in (folder / "tape.py", folder / f"tape{SUFFIX}"):
        path.touch()
        os.utime(path, (1000, 1000))
    return folder


def test_compiled_files_that_are_as_new_as_their_sources_pass(package: Path) -> None:
    buildinfo.check_stale(str(package))


def test_the_error_for_a_newer_source_names_it_and_both_remedies(package: Path) -> None:
    os.utime(package / "tape.py", (2000, 2000))
    with pytest.raises(buildinfo.StaleBuildError, match=r"tape\.py is newer") as caught:
        buildinfo.check_stale(str(package))
    assert "`POLYTAPE_COMPILE=1 pip install -e .` again, or delete" in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_a_compiled_file_without_its_source_is_rejected(package: Path) -> None:
    (package / "checkpoint" / f"writing{SUFFIX}").touch()
    with pytest.raises(buildinfo.StaleBuildError, match=r"writing\.py does not exist"):
        buildinfo.check_stale(str(package))


def test_compiled_kernels_of_the_backends_are_checked_too(package: Path) -> None:
    folder = package.parents[1] / "backends" / "numpy" / "polytape_numpy" / "kernels"
    folder.mkdir(parents=True)
    for name, time_s in ((f"optim{SUFFIX}", 1000), ("optim.py", 2000)):
        (folder / name).touch()
        os.utime(folder / name, (time_s, time_s))
    with pytest.raises(buildinfo.StaleBuildError, match=r"optim\.py is newer"):
        buildinfo.check_stale(str(package))


def test_compiled_files_for_another_python_are_ignored(package: Path) -> None:
    (package / "tape.cpython-39-x86_64-linux-gnu.so").touch()
    buildinfo.check_stale(str(package))


def test_an_installed_package_is_never_checked(package: Path) -> None:
    os.utime(package / "tape.py", (2000, 2000))
    (package.parents[1] / "pyproject.toml").unlink()
    buildinfo.check_stale(str(package))


def test_the_reported_ring_is_the_one_that_runs() -> None:
    from polytape.tensors import tensor

    assert buildinfo.compiled() == (not str(tensor.__file__).endswith(".py"))
    assert ("compiled" in buildinfo.description()) == buildinfo.compiled()


def test_the_report_is_right_before_the_ring_is_imported() -> None:
    program = "from polytape import buildinfo; print(buildinfo.compiled())"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(buildinfo.compiled())
