"""The numba backend as a plugin: what is imported when, its statuses, and what `explain` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

plugin = pytest.importorskip("polytape_numba.plugin")

# As after pip uninstall: no finder finds it.
WITHOUT = """
import importlib.machinery, sys
class Without(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "numba" else super().find_spec(name, path, target)
sys.meta_path[:] = [Without if found is importlib.machinery.PathFinder else found for found in sys.meta_path]
"""


def child(code: str, **settings: str) -> str:
    """What Python prints when it runs ``code`` with these environment variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "NUMBA_"))}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **settings}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def status(code: str = "", **settings: str) -> list[str]:
    """The status, reason and remedy of numba in a child process that ran ``code`` first."""
    ask = "import polytape as pt; s = {s.name: s for s in pt.backends()}['numba']"
    show = "print(s.status, s.reason, s.remedy, sep='\\n')"
    return child(f"{code}\n{ask}\n{show}", **settings).splitlines()


@pytest.fixture
def tensors() -> tuple[Any, Any]:
    """Logits of the numba backend below and above the size from which its kernels serve."""
    pytest.importorskip("numba")
    few = pt.asarray(np.ones((2, 10), "float32"), device="numba")
    return few, pt.asarray(np.ones((100, 10), "float32"), device="numba")


def test_it_is_ready_where_numba_is_installed() -> None:
    pytest.importorskip("numba")
    assert status()[0] == "ready"


def test_listing_and_explaining_import_no_numba() -> None:
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
    few, many = pt.zeros((2, 10)), pt.zeros((100, 10))
softmax(few)
print("numba" in sys.modules)
softmax(many)
print("numba" in sys.modules)
"""
    assert child(code).split() == ["False", "True"]


def test_without_numba_the_status_says_what_to_install() -> None:
    assert status(WITHOUT) == ["absent", "numba is not installed", "pip install 'polytape[numba]'"]


def test_asking_for_it_without_numba_raises_the_same_reason() -> None:
    code = """
import polytape as pt
try:
    pt.zeros((2,), device="numba")
except pt.PolytapeError as error:
    print(error)
"""
    text = child(WITHOUT + code)
    assert "backend 'numba' cannot be used: numba is not installed" in text
    assert "pip install 'polytape[numba]'" in text


def test_a_numba_that_does_not_compile_is_not_ready() -> None:
    pytest.importorskip("numba")
    found = status(NUMBA_DISABLE_JIT="1")
    assert found[0] == "import-failed"
    assert "NUMBA_DISABLE_JIT" in found[1] and "unset" in found[2]


def test_a_numba_that_cannot_be_imported_is_told_with_its_cause(tmp_path: Path) -> None:
    package = tmp_path / "numba"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('Numba needs NumPy 2.3 or less. Got NumPy 2.9.')")
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import polytape as pt
from polytape.nn import softmax
try:
    softmax(pt.zeros((100, 10), device="numba"))
except pt.PolytapeError as error:
    print(error)
"""
    text = child(code)
    assert "importing numba failed" in text
    assert "Numba needs NumPy 2.3 or less" in text
    assert "pip install --upgrade 'polytape[numba]'" in text


def test_explain_names_numba_s_kernel_above_the_size_and_numpy_s_below(tensors: tuple[Any, Any]) -> None:
    few, many = tensors
    below, above = pt.explain("softmax", few).splitlines(), pt.explain("softmax", many).splitlines()
    assert below[1].startswith("  numba:") and "predicate large_contiguous_rows is false" in below[1]
    assert below[2].startswith("  numpy:") and below[2].endswith("CHOSEN")
    assert above[1].startswith("  numba:") and above[1].endswith("CHOSEN")
    assert above[2].endswith("not reached")


def test_other_dtypes_and_a_view_stay_with_numpy(tensors: tuple[Any, Any]) -> None:
    _, many = tensors
    half = pt.explain("softmax", pt.astype(many, "float16"))
    assert "serves only dtypes float32, float64" in half
    turned = pt.explain("softmax", pt.permute_dims(many, (1, 0)))
    assert next(line for line in turned.splitlines() if line.endswith("CHOSEN")).startswith("  numpy:")


def test_auto_prefers_it_to_numpy() -> None:
    found = {one.name: one for one in pt.backends()}
    if found["numba"].status != "ready":
        pytest.skip(found["numba"].reason)
    assert found["numba"].automatic and found["numba"].rank > found["numpy"].rank


def test_an_unwritable_cache_is_done_without(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    # A file stands where the directory should be, which also stops root.
    (tmp_path / "file").write_text("")
    where = str(tmp_path / "file" / "cache")
    code = """
import polytape as pt
from polytape.nn import softmax
print(softmax(pt.zeros((100, 10), device="numba")).numpy()[0, 0])
"""
    assert child(code, NUMBA_CACHE_DIR=where).split() == ["0.1"]
