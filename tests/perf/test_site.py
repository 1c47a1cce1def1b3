"""The site: what its pages say, that they need nothing else, and that they are well-formed."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from polytape_perf.site import build, rows

sys.path.insert(0, str(Path(__file__).parent))
from test_history import record


class Checker(HTMLParser):
    """Fails for an element that is not closed, or for one that loads something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe"), tag
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in ("line", "polygon", "polyline"), tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Four commits; numba becomes slower in one case, in which it is still faster than numpy."""
    records = []
    for number, numba in ((1, 0.25e-6), (2, 0.25e-6), (3, 0.5e-6), (4, 0.5e-6)):
        times = {
            "numpy:cpu dispatch/add": (0.9e-6, 1e-6, 1.1e-6), "numba:cpu dispatch/add": (numba, numba, numba),
            "numpy:cpu rows/softmax": (9e-6, 1e-5, 1.1e-5), "numba:cpu rows/softmax": (4e-5, 4e-5, 4e-5),
        }  # fmt: skip
        records.append(record(number, times))
    records[-1]["cells"].append({"device": "numba:cpu", "case": "matrix/matmul", "error": "ValueError: <bad>"})
    build(records, tmp_path)
    return tmp_path


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_pages_are_well_formed_and_load_nothing(site: Path) -> None:
    pages = sorted(site.glob("*.html"))
    assert [page.name for page in pages] == ["backend-numba.html", "backend-numpy.html", "index.html"]
    for page in pages:
        checker = Checker()
        checker.feed(text(page))
        assert checker.open == []
        assert "http" not in text(page)
        assert all((site / link).exists() for link in checker.links), checker.links


def test_the_heat_map_has_ratios_to_numpy_with_a_colour_each(site: Path) -> None:
    cells = re.findall(r'<td style="background:(.*?)" title="(.*?)">(.*?)</td>', text(site / "index.html"))
    assert [(title, ratio) for _, title, ratio in cells] == [("500 ns", "0.50"), ("40 us", "4.00")]
    assert ["37, 120, 190" in colour for colour, *_ in cells] == [True, False]


def test_a_family_has_the_geometric_mean_of_its_ratios_and_many_cases_are_folded(tmp_path: Path) -> None:
    times = {f"numpy:cpu kernels/{k}": (1e-6, 1e-6, 1e-6) for k in range(30)}
    times |= {f"numba:cpu kernels/{k}": (1e-6, 0.25e-6 if k else 1e-6, 1e-6) for k in range(2)}
    build([record(1, {**times, "numpy:cpu dispatch/add": (1e-6, 1e-6, 1e-6)})], tmp_path)
    page = text(tmp_path / "index.html")
    assert "<details><summary>kernels: numba:cpu 0.50 of 2</summary>" in page
    assert "<details open><summary>dispatch: 1</summary>" in page


def test_the_index_names_slowdowns_missing_backends_and_age(site: Path) -> None:
    page = text(site / "index.html")
    assert '<span class="worse">2.00x</span>' in page
    assert "0000000002 &rarr; 0000000003" in page
    assert "cupy is not &lt;installed&gt;" in page
    assert "A &amp; B &lt;CPU&gt;" in page
    assert re.search(r'<span class="badge stale">stale: \d+ days old</span>', page)


def test_a_result_of_today_is_not_stale(tmp_path: Path) -> None:
    new = record(1, {"numpy:cpu dispatch/add": (1e-6, 1e-6, 1e-6)})
    new["measured"] = datetime.now(UTC).isoformat()
    build([new], tmp_path)
    assert '<span class="badge fresh">up to date</span>' in text(tmp_path / "index.html")


def test_a_backends_page_has_a_picture_per_case_and_the_reason_of_a_failure(site: Path) -> None:
    page = text(site / "backend-numba.html")
    assert page.count("<svg ") == 2 and page.count("<circle ") == 8
    assert "ValueError: &lt;bad&gt;" in page
    assert "commit &lt;3&gt;: 500 ns" in page


def test_the_raw_data_is_complete(site: Path) -> None:
    records: list[dict[str, Any]] = json.loads(text(site / "data.json"))
    assert len(records) == 4
    flat = rows(records)
    assert len(flat) == 16
    assert {row["backend"] for row in flat} == {"numpy", "numba"}


def test_parquet_holds_the_same_rows(site: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(site / "data.parquet")
    assert table.to_pylist() == rows(json.loads(text(site / "data.json")))
