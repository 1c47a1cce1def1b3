"""The tables of tests/run_opinfo.py, without torch."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import polytape as pt

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TESTS))


def test_every_entry_is_mapped_or_explained() -> None:
    from opinfo.page import coverage_faults

    assert coverage_faults(["a", "b"], {"a": None}, {"b": "no such function"}) == []
    assert coverage_faults(["a", "b", "c"], {"a": None, "d": None}, {"a": "both"}) == [
        "b is neither mapped nor explained",
        "c is neither mapped nor explained",
        "a is mapped and explained",
        "d is no entry",
    ]


def test_two_tables_cannot_map_one_entry() -> None:
    from opinfo.mapped import merged

    with pytest.raises(ValueError, match="two tables map sin"):
        merged({"sin": pt.sin}, {"sin": pt.sin})


def test_the_page_shows_counts_and_reasons_by_frequency() -> None:
    from collections import Counter
    from types import SimpleNamespace

    from opinfo.mapped import Mapped
    from opinfo.page import grouped, section

    assert list(grouped([("a", "rare"), ("b", "often"), ("c", "often"), ("c", "often"), ("d", "")])) == [
        "often",
        "rare",
    ]
    agreeing = SimpleNamespace(
        name="sin",
        compared=Counter(float64=1200),
        gradients=3,
        doubles=2,
        left=Counter(odd=4),
        refused={"bool"},
        faults=[],
    )
    wrong = SimpleNamespace(
        name="cos",
        compared=Counter(),
        gradients=0,
        doubles=0,
        left=Counter(),
        refused=set(),
        faults=["float64[0]: 1 differs"],
    )
    text = section("2.13.0", [agreeing, wrong], {"sin": Mapped(pt.sin), "cos": Mapped(pt.cos)}, {"jit": "no GPU"})
    for part in ("describes 3 functions", "2 of them are mapped", "on 1 there is no disagreement",
                 "| values, float64 | 1,200 |", "| odd | `sin` |", "| bool | `sin` |", "| no GPU | `jit` |",
                 "- `cos`: float64[0]: 1 differs"):  # fmt: skip
        assert part in text


def test_the_written_page_is_of_the_current_tables() -> None:
    from opinfo.mapped import Mapped  # noqa: F401  (the tables below import torch only in their own module)
    from opinfo.reasons import REASONS

    text = (TESTS.parent / "docs" / "oracles.md").read_text(encoding="utf-8")
    assert [name for name in REASONS if f"`{name}`" not in text] == []


def test_an_empty_axis_of_torch_means_all_axes() -> None:
    from opinfo.mapped import axis_of

    assert (axis_of(None), axis_of(2), axis_of([]), axis_of([0, -1])) == (None, 2, None, (0, -1))
    assert np.shape(pt.sum(pt.ones((2, 3)), axis_of(())).numpy()) == ()


def test_a_part_of_the_page_is_replaced(tmp_path: Path) -> None:
    import run_opinfo

    page = "a\n<!-- x: written by a script -->\nold\n<!-- end of x -->\nb\n"
    assert run_opinfo.replaced(page, "x", "new\n") == page.replace("old", "new")
    sys.modules.pop("run_opinfo")
