"""The Numba backend as a plugin: when numba is imported, statuses, and `explain`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

plugin = pytest.importorskip("polytape_numba.plugin")

# As after pip uninstall: no finder finds numba.
WITHOUT_NUMBA = """
import importlib.machinery, sys
class WithoutNumba(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "numba" else super().find_spec(name, path, target)
sys.meta_path[:] = [WithoutNumba if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
"""


def child(code: str, **settings: str) -> str:
    """The output of a Python process that runs ``code`` with these environment variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "NUMBA_"))}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **settings}
    command = [sys.executable, "-W", "error", "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def status(code: str = "", **settings: str) -> list[str]:
    """The status, reason and remedy of numba in a child process that runs ``code`` first."""
    lookup = "import polytape as pt; s = {s.name: s for s in pt.backends()}['numba']"
    show = "print(s.status, s.reason, s.remedy, sep='\\n')"
    return child(f"{code}\n{lookup}\n{show}", **settings).splitlines()


@pytest.fixture
def tensors() -> tuple[Any, Any]:
    """Logits on the Numba backend below and above the size from which its kernels serve."""
    pytest.importorskip("numba")
    small = pt.asarray(np.ones((2, 3), "float32"), device="numba")
    return small, pt.asarray(np.ones((100, 10), "float32"), device="numba")


def test_the_backend_is_ready_if_numba_is_installed() -> None:
    pytest.importorskip("numba")
    assert status()[0] == "ready"


def test_listing_backends_and_explaining_a_call_do_not_import_numba() -> None:
    pytest.importorskip("numba")
    code = """
import sys, polytape as pt
assert any(s.name == "numba" and s.library.startswith("numba 0.") for s in pt.backends()), pt.backends()
with pt.device("numba"):
    x = pt.zeros((100, 10))
    y = x + 1.0
    assert "CHOSEN" in pt.explain("softmax", x)
assert str(y.device) == "numba:cpu:0"
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
"""
    child(code)


def test_numba_is_imported_by_the_first_call_of_a_compiled_kernel() -> None:
    pytest.importorskip("numba")
    code = """
import sys, polytape as pt
from polytape.nn import softmax
with pt.device("numba"):
    small, large = pt.zeros((2, 3)), pt.zeros((2, 10))
softmax(small)
print("numba" in sys.modules)
softmax(large)
print("numba" in sys.modules)
"""
    assert child(code).split() == ["False", "True"]


def test_without_numba_the_status_gives_the_install_command() -> None:
    assert status(WITHOUT_NUMBA) == ["absent", "numba is not installed", "pip install 'polytape[numba]'"]


def test_requesting_the_backend_without_numba_raises_the_reason() -> None:
    code = """
import polytape as pt
try:
    pt.zeros((2,), device="numba")
except pt.PolytapeError as error:
    print(error)
"""
    text = child(WITHOUT_NUMBA + code)
    assert "backend 'numba' cannot be used: numba is not installed" in text
    assert "pip install 'polytape[numba]'" in text


def test_the_backend_is_not_ready_if_numba_does_not_compile() -> None:
    pytest.importorskip("numba")
    name, reason, remedy = status(NUMBA_DISABLE_JIT="1")
    assert name == "import-failed"
    assert "NUMBA_DISABLE_JIT" in reason and "unset" in remedy


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., str]:
    """Write a numba that fails to be imported, and say how to find it."""

    def write(requirements: str = "", dispatcher: bool = True, metadata: bool = True) -> str:
        package = tmp_path / "numba"
        package.mkdir()
        (package / "__init__.py").write_text("raise ImportError('Numba needs NumPy 2.3 or less. Got NumPy 2.9.')")
        if dispatcher:
            (package / f"_dispatcher{EXTENSION_SUFFIXES[0]}").touch()
        if metadata:
            (tmp_path / "numba-0.61.0.dist-info").mkdir()
            text = f"Metadata-Version: 2.1\nName: numba\nVersion: 0.61.0\n{requirements}\n\nRequires-Dist: numpy<1\n"
            (tmp_path / "numba-0.61.0.dist-info" / "METADATA").write_text(text)
        return f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"

    return write


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        (
            f"Requires-Dist: numpy<{np.__version__},>=1.22",
            f"numba 0.61.0 needs numpy<{np.__version__},>=1.22; installed",
        ),
        ("Requires-Dist: numpy (>=9.0)", "numba 0.61.0 needs numpy (>=9.0); installed is numpy "),
        ("Requires-Dist: llvmlite<0.1,>=0.0.1", "numba 0.61.0 needs llvmlite<0.1,>=0.0.1; installed is llvmlite "),
        ("Requires-Python: >=3.99", "numba 0.61.0 needs Python >=3.99; this is 3."),
    ],
)
def test_a_numba_that_does_not_support_what_is_installed_is_not_ready_and_not_chosen(
    fake: Callable[..., str], requirements: str, reason: str
) -> None:
    pytest.importorskip("numba")  # its llvmlite is compared with
    setup = fake(requirements)
    name, found, remedy = status(setup)
    assert (name, remedy) == ("import-failed", "pip install --upgrade 'polytape[numba]', or use the backend numpy")
    assert found.startswith(reason)
    assert child(f"{setup}import polytape as pt; print(pt.zeros((2,)).device)", POLYTAPE_BACKEND="auto") != (
        "numba:cpu:0\n"
    )


def test_a_numba_for_another_python_is_not_ready(fake: Callable[..., str]) -> None:
    name, found, _ = status(fake(dispatcher=False))
    assert name == "import-failed" and found.startswith("numba 0.61.0 is not built for this Python, 3.")


def test_a_numba_that_supports_what_is_installed_is_ready_without_being_imported(fake: Callable[..., str]) -> None:
    requirements = (
        "Requires-Dist: numpy<99,>=1.22\nRequires-Dist: numpy<1; python_version < '3'\nRequires-Python: >=3.8"
    )
    assert status(fake(requirements))[0] == "ready"


@pytest.mark.parametrize("metadata", [True, False])
def test_the_error_for_a_numba_that_cannot_be_imported_gives_the_cause(
    fake: Callable[..., str], metadata: bool
) -> None:
    code = """
import polytape as pt
from polytape.nn import softmax
try:
    softmax(pt.zeros((100, 10), device="numba"))
except pt.PolytapeError as error:
    print(error)
"""
    text = child(fake(metadata=metadata) + code)
    assert "importing numba failed" in text
    assert "Numba needs NumPy 2.3 or less" in text
    assert "pip install --upgrade 'polytape[numba]'" in text


def test_explain_shows_the_numba_kernel_for_large_operands_and_the_numpy_kernel_for_small_ones(
    tensors: tuple[Any, Any],
) -> None:
    small, large = (pt.explain("softmax", x).splitlines() for x in tensors)
    assert small[1].startswith("  numba:") and "predicate along_long_rows is false" in small[1]
    assert small[2].startswith("  numpy:") and small[2].endswith("CHOSEN")
    assert large[1].startswith("  numba:") and large[1].endswith("CHOSEN")
    assert large[2].endswith("not reached")


def test_other_dtypes_and_views_are_left_to_numpy(tensors: tuple[Any, Any]) -> None:
    _, large = tensors
    half = pt.explain("softmax", pt.astype(large, "float16"))
    assert "serves only dtypes float32, float64" in half
    transposed = pt.explain("softmax", pt.permute_dims(large, (1, 0)))
    assert next(line for line in transposed.splitlines() if line.endswith("CHOSEN")).startswith("  numpy:")


def test_auto_prefers_numba_to_numpy() -> None:
    statuses = {status.name: status for status in pt.backends()}
    numba, numpy = statuses["numba"], statuses["numpy"]
    if numba.status != "ready":
        pytest.skip(numba.reason)
    assert numba.automatic and numba.rank > numpy.rank
