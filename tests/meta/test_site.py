"""The site: tools/build_docs.py writes a page for every public name and every op, and MkDocs finds no fault in them."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from polytape.registry import tables

CHECKOUT = Path(__file__).parents[2]
TOOLS = CHECKOUT / "tools"
OPS = sorted(name for name, op in tables.ops().items() if op.module.startswith(tables.FAMILIES))
SECTIONS = ("Gradient", "Decomposition", "Kernels")


@pytest.fixture(scope="module")
def tool() -> Any:
    """The program, as a module; it imports its neighbours."""
    sys.path.insert(0, str(TOOLS))
    try:
        return importlib.import_module("build_docs")
    finally:
        sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def pages(tool: Any) -> Any:
    """The pages of names and ops."""
    return tool.name_pages.Pages()


@pytest.fixture(scope="module")
def site(tool: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all pages of the site, which MkDocs has not read yet."""
    folder: Path = tmp_path_factory.mktemp("site") / "pages"
    assert tool.stage(folder) > 500
    return folder


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one; "" if there is none."""
    parts = page.split(f"\n## {title} {{ data-search-exclude }}\n")
    return parts[1].split("\n## ")[0].strip() if len(parts) > 1 else ""


def test_every_op_has_one_page_with_all_sections(site: Path, pages: Any) -> None:
    assert sorted(pages.ops) == OPS and len(set(pages.ops.values())) == len(OPS)
    for name, address in pages.ops.items():
        page = (site / address).read_text(encoding="utf-8")
        missing = [title for title in SECTIONS if not section(page, title)]
        assert not missing, f"the page of {name} lacks {missing}"
        assert "**Arguments**" in page or not tables.get_op(name).parameters, name


def test_every_name_of_the_reference_has_one_page_which_its_table_links(site: Path, pages: Any) -> None:
    addresses = list(pages.address.values())
    assert len({address.lower() for address in addresses}) == len(addresses) > 450
    for name, address in pages.address.items():
        assert (site / address).read_text(encoding="utf-8").startswith(f"# {name}\n")
        table = address.rpartition("/")[0]
        assert f"({table.removeprefix('api/')}/{Path(address).name})" in (site / f"{table}.md").read_text(
            encoding="utf-8"
        )


def test_every_link_leads_to_a_page_of_the_site(site: Path, tool: Any) -> None:
    bad = []
    for page in site.rglob("*.md"):
        text = "".join(tool.FENCED.split(page.read_text(encoding="utf-8"))[::2])
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if "://" not in link and not (page.parent / link).is_file():
                bad.append(f"{page.relative_to(site)}: {link}")
    assert not bad, bad


def test_every_page_of_docs_is_in_the_navigation_once() -> None:
    text = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"(\S+\.md)$", text, re.MULTILINE)
    docs = CHECKOUT / "docs"
    pages = [page.relative_to(docs).as_posix() for page in docs.rglob("*.md")]
    # `internal` is generated, `project` are pages outside docs.
    own = [page for page in listed if page != "api/internal.md" and not page.startswith("project/")]
    assert sorted(own) == sorted(pages), "mkdocs.yml lists the pages of docs under nav"


def test_the_page_of_an_op_shows_what_its_declaration_says(pages: Any) -> None:
    page = pages.op_page("pt.nn.softmax", tables.get_op("softmax"), pages.ops["softmax"])
    assert "pt.nn.softmax(x: TensorLike, /, axis: int = -1) -> Tensor" in page
    assert "- [`ShapeError`](../errors.md): an axis that does not exist." in page
    assert "softmax.gradient(x=lambda g, y, axis:" in section(page, "Gradient")
    shown = section(page, "Decomposition")
    assert "return divide(e, sum(e, axis, keepdims=True))" in shown and "def _shifted(" in shown
    assert "[`exp`](../ops/exp.md)" in shown and "@op" not in shown
    assert re.search(r"\| numba \| `softmax` \| `float32`, `float64` \| `along_\w+`", section(page, "Kernels"))


def test_a_gradient_rule_defined_as_a_function_and_a_reason_for_none_are_shown(pages: Any) -> None:
    matmul = pages.op_page("pt.matmul", tables.get_op("matmul"), pages.ops["matmul"])
    assert section(matmul, "Gradient").count('@matmul.gradient("x') == 2
    assert "primitive" in section(matmul, "Decomposition")
    floor = pages.op_page("pt.floor", tables.get_op("floor"), pages.ops["floor"])
    assert section(floor, "Gradient") == f"None flows through this op: {tables.get_op('floor').no_gradient}."


def test_the_page_of_a_class_shows_its_members(pages: Any) -> None:
    page = pages.other_page("pt.GradientTape", pages.address["pt.GradientTape"])
    assert (
        "### watch" in page and "pt.GradientTape(persistent: bool = False" in page and "self" not in page.split("##")[0]
    )


def test_the_page_of_tensor_shows_no_constructor(pages: Any) -> None:
    page = pages.other_page("pt.Tensor", pages.address["pt.Tensor"])
    assert "pt.Tensor(" not in page and "### to_device" in page and "### mean" in page


def test_a_link_to_a_missing_file_stops_the_build(tool: Any) -> None:
    with pytest.raises(SystemExit, match=r"docs/index\.md links to nowhere\.md, which does not exist"):
        tool.relinked("See [this](nowhere.md).", CHECKOUT / "docs" / "index.md")
    kept = tool.relinked(
        "[a](../README.md#first) [b](../core) [c](https://example.com) `[d](e)`", CHECKOUT / "docs" / "index.md"
    )
    assert kept.startswith("[a](project/README.md#first) b [c](https://example.com)")


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("mkdocs") is None or find_spec("material") is None, reason="the extra docs is not installed"
)
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, str(TOOLS / "build_docs.py"), "--output", str(tmp_path / "site")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    index = (tmp_path / "site" / "search" / "search_index.json").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "api" / "ops" / "matmul" / "index.html").is_file() and "pt.matmul" in index
