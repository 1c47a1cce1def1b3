"""The reference pages are what tools/write_reference.py makes of the sources."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted((CHECKOUT / "docs" / "api").rglob("*.md"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The program, as a module."""
    spec = importlib.util.spec_from_file_location("write_reference", CHECKOUT / "tools" / "write_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_s_tables_are_those_of_the_sources(page: Path, tool: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")
    assert tool.rendered(text) == text, f"run python tools/write_reference.py: {page.name} is out of date"


def test_every_family_of_ops_has_a_table() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    listed = {word for line in text.splitlines() if line.startswith("<!-- names:") for word in line.split()}
    ops = CHECKOUT / "core" / "polytape" / "ops"
    public = [
        path
        for path in ops.rglob("*.py")
        if "__all__ = [\n" in (source := path.read_text()) or '__all__ = ["' in source
    ]
    families = [path for path in public if "\n@op(" in path.read_text(encoding="utf-8")]
    missing = [
        path for path in families if f"family:{'.'.join(path.relative_to(ops).with_suffix('').parts)}" not in listed
    ]
    assert families and not missing


def test_a_row_shows_signature_and_first_paragraph(tool: ModuleType) -> None:
    assert tool.row("pt.maximum").startswith("| `pt.maximum(x1, x2, /)` | The larger of `x1` and `x2`, elementwise")
    assert tool.row("pt.optim.SGD").startswith("| `pt.optim.SGD(learning_rate")
    assert tool.row("pt.random.integers").startswith("| `pt.random.integers(low, high=None, shape=(), *, dtype=None")
    assert "dtype=pt.int64" in tool.row("pt.random.poisson")
    assert tool.row("pt.Backend") == "| `pt.Backend(*, name, ...)` | One backend: devices, memory and kernels. |"


def test_a_name_that_is_defined_nowhere_is_named(tool: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"lists pt\.nowhere"):
        tool.row("pt.nowhere")
