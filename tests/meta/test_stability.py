"""docs/backends/stability.md promises what the code has, and what other tests enforce."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from polytape import backend
from polytape.plugins import discovery

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "backends" / "stability.md").read_text(encoding="utf-8")
SIM = sorted((CHECKOUT / "examples" / "sim_backend").rglob("*.py"))
CLASSES = ("Backend", "Kernel", "Limits", "Probe", "MemoryInfo")


def promised() -> dict[str, set[str]]:
    """The public names by module, from the page's table."""
    table = PAGE.partition("<!-- table: modules of the plugin API -->")[2].partition("<!-- end -->")[0]
    rows = re.findall(r"^\| `(polytape[\w.]*)` \| (`.*) \|$", table, re.MULTILINE)
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows}


def test_every_promised_name_exists() -> None:
    modules = promised()
    assert len(modules) == 10 and "polytape.backend" in modules
    missing = [
        f"{module}.{name}"
        for module, names in modules.items()
        for name in names
        if not hasattr(importlib.import_module(module), name)
    ]
    assert not missing


def test_the_promise_is_what_the_layering_test_lets_a_backend_import() -> None:
    text = (CHECKOUT / "tests" / "meta" / "test_layering.py").read_text(encoding="utf-8")
    contract = set(re.findall(r'"(polytape[\w.]*)"', re.search(r"^CONTRACT = (\{.*?\})", text, re.M | re.S)[1]))  # type: ignore[index]  # it is there
    others = {"polytape.testing", "polytape.testing.plugin", "polytape.testing.suite", "polytape_numpy.kernels"}
    assert set(promised()) == contract | others


def test_a_third_party_s_backend_needs_only_promised_names() -> None:
    modules = promised()
    used = [
        (node.module, alias.name)
        for path in SIM
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("polytape")
        for alias in node.names
    ]
    own = ("polytape_sim", "polytape_tests_sim")
    bad = [
        f"{module}.{name}"
        for module, name in used
        if module is not None and not module.startswith(own) and name not in {*modules.get(module, set()), "*"}
    ]
    assert len(used) > 5 and not bad


@pytest.mark.parametrize("name", CLASSES)
def test_an_argument_can_be_added_without_breaking_a_plugin(name: str) -> None:
    parameters = [p for p in inspect.signature(getattr(backend, name)).parameters.values() if p.name != "self"]
    required = {"Backend": {"name"}, "Kernel": {"op", "fn"}, "MemoryInfo": {"allocated_nbytes"}}.get(name, set())
    assert {p.name for p in parameters if p.default is p.empty} == required
    positional = {p.name for p in parameters if p.kind is not p.KEYWORD_ONLY}
    assert positional == {"Kernel": {"op", "fn"}, "Backend": set(), "Limits": set()}.get(name, positional)


def test_the_groups_have_the_major_version_in_their_names() -> None:
    major = backend.API_VERSION.partition(".")[0]
    assert int(major) == discovery.MAJOR and discovery.MAJOR in discovery.READABLE
    for group in (discovery.BACKENDS, discovery.KERNELS):
        assert f"`{group}.v{major}`" in PAGE
