"""Version requirements as numba's metadata state them."""

from __future__ import annotations

from pathlib import Path

import pytest

requirements = pytest.importorskip("polytape_numba.requirements")


@pytest.mark.parametrize(
    ("requirement", "version", "admitted"),
    [
        ("numpy<2.6,>=1.22", "2.4.6", True),
        ("numpy<2.6,>=1.22", "2.6.0", False),
        ("numpy<2.6,>=1.22", "2.6.0rc1", False),
        ("numpy<2.6,>=1.22", "1.21", False),
        ("numpy (<2.6,>=1.22)", "2.5.9", True),
        ("llvmlite<0.51,>=0.50.0dev0", "0.50.1", True),
        ("llvmlite<0.51,>=0.50.0dev0", "0.49.0", False),
        ("x==2.*", "2.9", True),
        ("x==2.*", "3.0", False),
        ("x==2.9", "2.9.0", True),
        ("x~=2.1", "2.9", True),
        ("x~=2.1", "3.0", False),
        ("x!=2.0", "2.0.0", False),
        ("x>2, <=3", "3.0", True),
        (">=3.10,<3.12", "3.11.7", True),
        (">=3.10,<3.11", "3.11.7", False),
        ("x", "1", True),
        ("x>=1", "unknown", True),
        ("x @ https://example.com/x.whl", "1", True),
    ],
)
def test_a_requirement_admits_versions(requirement: str, version: str, admitted: bool) -> None:
    assert requirements.admits(requirement, version) == admitted


def test_metadata_that_cannot_be_read_prevents_nothing(tmp_path: Path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / f"_dispatcher{EXTENSION_SUFFIXES[0]}").touch()
    assert requirements.unmet(str(tmp_path / "numba-1.dist-info")) == ""
    (tmp_path / "numba-1.dist-info").mkdir()
    (tmp_path / "numba-1.dist-info" / "METADATA").write_bytes(b"\xff\xfe Requires-Dist numpy\n")
    assert requirements.unmet(str(tmp_path / "numba-1.dist-info")) == ""
