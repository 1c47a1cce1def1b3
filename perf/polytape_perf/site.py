"""A static site of the records: pages that need no network, no script and no server.

========================  ======================================================================================
index.html                the newest commit: a heat map of backends by cases, relative to numpy; slowdowns; missing
                          backends with their reason; how old the newest result is
backend-NAME.html         each case of a backend: its time at the newest commit, and its history as a picture
data.json                 all records
data.parquet              one row per time, where pyarrow is installed (extra ``perf``)
========================  ======================================================================================
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from math import log2
from pathlib import Path
from typing import Any, Final

from .history import Record, Step, steps

__all__ = ["build", "has_parquet", "rows"]

_REFERENCE: Final = "numpy"
_STALE_DAYS: Final = 3
_FOLDED: Final = 20  # families with more cases are folded
_WIDTH, _HEIGHT, _EDGE = 360, 60, 6
_STYLE: Final = """
:root { color-scheme: light dark; --line: #2a6f97; --band: #2a6f9733; --rule: #8884; --warn: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --line: #7fc4ea; --band: #7fc4ea33; --warn: #ff8a80; --good: #7bd88f; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; } details { margin: .3rem 0; } summary { cursor: pointer; font-weight: 600; }
td, th { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
td:first-child, th:first-child { text-align: left; } td.text { text-align: left; white-space: normal; }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: .1rem .7rem; font-size: .85rem; }
.fresh { color: var(--good); } .stale, .worse { color: var(--warn); }
.note { color: GrayText; } svg text { font-size: 10px; fill: GrayText; }
.map td { color: #111; }
"""


def build(records: list[Record], folder: Path) -> list[Path]:
    """Write the site and return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    newest = _newest(records)
    found = steps(records)
    files = {"index.html": _index(records, newest, found)}
    for device in _devices(newest):
        files[f"backend-{_backend(device)}.html"] = _backend_page(device, records, newest)
    files["data.json"] = json.dumps(records, indent=1) + "\n"
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    paths = [folder / name for name in files]
    if has_parquet():
        paths.append(_parquet(records, folder / "data.parquet"))
    return paths


def has_parquet() -> bool:
    """Whether Parquet can be written."""
    return importlib.util.find_spec("pyarrow") is not None


def rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One flat row per time."""
    return [
        {
            "commit": record["commit"]["sha"],
            "date": record["commit"]["date"],
            "series": record["series"],
            "ring": record["ring"],
            "python": record["machine"]["python"],
            "cpu": record["machine"]["cpu"],
            "backend": _backend(cell["device"]),
            "device": cell["device"],
            "case": cell["case"],
            "seconds": cell["seconds"],
            "low": cell["low"],
            "high": cell["high"],
            **{measure: cell["counts"].get(measure) for measure in ("opcodes", "kernels", "bytes")},
        }
        for record in records
        for cell in record["cells"]
        if "seconds" in cell
    ]


def _parquet(records: list[Record], path: Path) -> Path:
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows(records)), path)
    return path


# --- what a page is about ------------------------------------------------------------------------------------------


def _newest(records: list[Record]) -> list[Record]:
    """The records of the newest commit, one for each ring, of one series."""
    last = records[-1]
    same = [x for x in records if x["commit"]["sha"] == last["commit"]["sha"] and x["series"] == last["series"]]
    return list({record["ring"]: record for record in same}.values())


def _backend(device: str) -> str:
    return device.partition(":")[0]


def _devices(records: Iterable[Record]) -> list[str]:
    devices = dict.fromkeys(cell["device"] for record in records for cell in record["cells"])
    return sorted(devices, key=lambda device: (_backend(device) != _REFERENCE, device))


def _times(record: Record) -> dict[tuple[str, str], dict[str, Any]]:
    return {(cell["case"], cell["device"]): cell for cell in record["cells"]}


# --- HTML ----------------------------------------------------------------------------------------------------------


def _page(title: str, body: Iterable[str]) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head><body>\n' + "\n".join(
        [f"<h1>{escape(title)}</h1>", *body, "</body></html>\n"]
    )


def _table(headings: Sequence[str], body: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of headings and cells that are HTML already; a cell may begin with its own <td>."""
    lines = [f'<table class="{kind}"><tr>' + "".join(f"<th>{text}</th>" for text in headings) + "</tr>"]
    for row in body:
        cells = "".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _index(records: list[Record], newest: list[Record], found: list[Step]) -> str:
    body = [_about(records, newest[0])]
    for record in newest:
        body += [f"<h2>Time relative to {_REFERENCE}, {record['ring']} ring</h2>", _heat_map(record)]
    body += ["<h2>Slowdowns that stayed</h2>", _slowdowns(found), "<h2>Backends without results</h2>", _missing(newest)]
    return _page("Performance of polytape's backends", body)


def _about(records: list[Record], record: Record) -> str:
    commit, about = record["commit"], record["machine"]
    age = (datetime.now(UTC) - datetime.fromisoformat(record["measured"])).days
    kind, text = ("stale", f"stale: {age} days old") if age > _STALE_DAYS else ("fresh", "up to date")
    commits = len({x["commit"]["sha"] for x in records})
    libraries = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    return (
        f'<p><span class="badge {kind}">{text}</span> '
        f"{escape(commit['sha'][:10])} {escape(commit['subject'])}, {escape(commit['date'][:10])}; "
        f"{commits} commits, measured {escape(record['measured'][:16])} UTC.</p>"
        f'<p class="note">{escape(about["cpu"])}, {about["cpus"]} processors ({escape(", ".join(about["vector"]))}), '
        f"one thread; {escape(about['python'])}; {escape(libraries)}; BLAS {escape(about['blas'])}"
        f"{'; ' + escape(about['gpu']) if about['gpu'] else ''}. A time is the median of three processes. "
        f'Raw data: <a href="data.json">data.json</a>.</p>'
    )


def _heat_map(record: Record) -> str:
    times, devices = _times(record), _devices([record])
    reference = next((device for device in devices if _backend(device) == _REFERENCE), devices[0])
    links = [f'<a href="backend-{_backend(device)}.html">{escape(device)}</a>' for device in devices]
    families: dict[str, list[str]] = {}
    for case in dict.fromkeys(cell["case"] for cell in record["cells"]):
        families.setdefault(case.partition("/")[0], []).append(case)
    body = []
    for family, cases in families.items():
        lines = []
        for case in cases:
            base = times.get((case, reference), {})
            cells = [_shade(times.get((case, device), {}), base) for device in devices]
            lines.append([f'<td style="color:inherit">{escape(case)}</td>', *cells])
        shown = "" if len(cases) > _FOLDED else " open"
        body.append(f"<details{shown}><summary>{escape(_summary(family, cases, times, devices, reference))}</summary>")
        body += [_table(["case", *links], lines, "map"), "</details>"]
    return "\n".join(body)


def _summary(
    family: str, cases: list[str], times: dict[tuple[str, str], Any], devices: list[str], reference: str
) -> str:
    """A family's name, and the geometric mean of each device's ratios to the reference."""
    means = []
    for device in devices:
        pairs = [(times.get((case, device), {}), times.get((case, reference), {})) for case in cases]
        logs = [log2(a["seconds"] / b["seconds"]) for a, b in pairs if "seconds" in a and "seconds" in b]
        if logs and device != reference:
            means.append(f"{device} {2 ** (sum(logs) / len(logs)):.2f} of {len(logs)}")
    return f"{family}: {', '.join(means) or len(cases)}"


def _shade(cell: dict[str, Any], base: dict[str, Any]) -> str:
    """A cell with the time and the ratio, blue where it is faster than the reference and red where it is slower."""
    if "seconds" not in cell:
        return f'<td style="color:inherit" title="{escape(cell.get("error", "not measured"))}">n/a</td>'
    time = _time(cell["seconds"])
    if "seconds" not in base or cell is base:
        return f'<td style="color:inherit">{time}</td>'
    ratio = cell["seconds"] / base["seconds"]
    strength = min(abs(log2(ratio)) / 2, 1.0)  # full at four times
    hue = "37, 120, 190" if ratio < 1 else "214, 69, 58"
    colour = f"color-mix(in srgb, rgb({hue}) {strength * 75:.0f}%, white)"
    return f'<td style="background:{colour}" title="{time}">{ratio:.2f}</td>'


def _slowdowns(found: list[Step]) -> str:
    if not found:
        return "<p>None.</p>"
    body = [
        [
            escape(step.case), escape(step.device), escape(step.ring), f'<span class="worse">{step.factor:.2f}x</span>',
            f"{escape(step.before[:10])} &rarr; {escape(step.commit[:10])}",
        ]
        for step in reversed(found)
    ]  # fmt: skip
    return _table(("case", "device", "ring", "slower", "commits"), body)


def _missing(newest: list[Record]) -> str:
    measured = {_backend(device) for device in _devices(newest)}
    body = [
        [escape(name), escape(found["status"]), f'<td class="text">{escape(found["reason"])}</td>']
        for name, found in sorted(newest[0]["backends"].items())
        if name not in measured
    ]
    return _table(("backend", "status", "reason"), body) if body else "<p>None.</p>"


def _backend_page(device: str, records: list[Record], newest: list[Record]) -> str:
    body = ['<p><a href="index.html">All backends</a></p>']
    for record in newest:
        same = [x for x in records if x["series"] == record["series"] and x["ring"] == record["ring"]]
        history = [(x, _times(x)) for x in same]
        lines = []
        for (case, of), cell in _times(record).items():
            if of != device:
                continue
            points = [(x, times[case, of]) for x, times in history if "seconds" in times.get((case, of), {})]
            if "seconds" not in cell:
                lines.append([escape(case), "n/a", f'<td class="text">{escape(cell["error"])}</td>', ""])
                continue
            counts = ", ".join(f"{value:,} {measure}" for measure, value in cell["counts"].items())
            spread = f"{_time(cell['seconds'])} <span class='note'>{_time(cell['low'])} to {_time(cell['high'])}</span>"
            lines.append([escape(case), spread, f'<td class="text">{_picture(points)}</td>', escape(counts)])
        body += [f"<h2>{escape(record['ring'])} ring</h2>", _table(("case", "time", "history", "counts"), lines)]
    return _page(device, body)


def _picture(points: list[tuple[Record, dict[str, Any]]]) -> str:
    """The history of a case: the median over the range of the processes, one place per commit, from zero up."""
    highest = max(cell["high"] for _, cell in points)
    step = (_WIDTH - 2 * _EDGE) / max(len(points) - 1, 1)

    def place(position: int, seconds: float) -> tuple[str, str]:
        return f"{_EDGE + position * step:.1f}", f"{_HEIGHT - (_HEIGHT - _EDGE) * seconds / highest:.1f}"

    def path(which: str, order: Iterable[int]) -> list[str]:
        return [",".join(place(k, points[k][1][which])) for k in order]

    every = range(len(points))
    dots = []
    for k, (record, cell) in enumerate(points):
        x, y = place(k, cell["seconds"])
        title = f"{record['commit']['sha'][:10]} {record['commit']['subject']}: {_time(cell['seconds'])}"
        dots.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="var(--line)"><title>{escape(title)}</title></circle>')
    band = " ".join([*path("low", every), *path("high", reversed(every))])
    line = " ".join(path("seconds", every))
    label = f"{_time(points[0][1]['seconds'])} at first, {_time(points[-1][1]['seconds'])} at last"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<line x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}" stroke="var(--rule)"/>'
        f'<polygon points="{band}" fill="var(--band)"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--line)" stroke-width="1.5"/>{"".join(dots)}</svg>'
    )


def _time(seconds: float) -> str:
    for unit, scale in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"
