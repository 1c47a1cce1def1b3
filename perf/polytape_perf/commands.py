"""What ``polytape perf`` does: the actions of its command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from polytape.errors import SettingError

from . import accepted, cases, counting, history, initial, pairs, report, sides, site as pages
from .gate import judge
from .workers import CaseError, WorkerProcess, use_cases

__all__ = ["compare", "gate", "init", "record", "site"]

Say = Callable[[str], None]


def gate(arguments: argparse.Namespace, say: Say) -> int:
    """Compare two commits; 0, 1 if something got worse, 2 if the run did not prove itself.

    Raises:
        SettingError: there is nothing to compare, or a side cannot be built.
    """
    repo = sides.repository()
    chosen = _cases(repo, arguments.cases)
    instructions = {case.name for case in _cases(repo, arguments.instructions)} if arguments.instructions else set()
    if instructions and not counting.has_valgrind():
        raise SettingError(
            "--instructions needs valgrind.", expected="the program valgrind", got="none", fix="install valgrind"
        )
    entries = accepted.added(repo, arguments.base, arguments.head)
    builds = []
    for ring in sides.RINGS if arguments.ring == "both" else (arguments.ring,):
        say(f"building {arguments.base} and {arguments.head}, {ring}")
        base, head = (sides.prepare(repo, commit, ring) for commit in (arguments.base, arguments.head))
        builds.append((ring, base, head))
    backends = [name for name in arguments.backends.split(",") if name]
    outcome = judge(builds, chosen, backends, entries, instructions=instructions, say=say)
    for path, text in ((arguments.json, report.as_json), (arguments.markdown, report.as_markdown)):
        if path is not None:
            path.write_text(text(outcome) + "\n", encoding="utf-8")
    print(report.as_text(outcome))
    return outcome.status


def compare(arguments: argparse.Namespace, say: Say) -> int:
    """Compare two backends case by case; 1 if one of them cannot be used.

    Raises:
        SettingError: a backend is unknown or not ready.
    """
    repo = sides.repository()
    chosen = _cases(repo, arguments.cases)
    say(f"building {arguments.at}, {arguments.ring}")
    folder = sides.prepare(repo, arguments.at, arguments.ring).folder
    with WorkerProcess(folder) as worker:
        status = worker.ask("backends")
    devices = [_device(name, status) for name in (arguments.first, arguments.second)]
    rows: list[tuple[str, ...]] = []
    failed = 0
    for case in chosen:
        first, second = (pairs.Spot(folder, case.name, device) for device in devices)
        try:
            found = sorted(pairs.compare(first, second) for _ in range(pairs.CONFIRMATIONS))
        except CaseError as error:
            rows.append((case.name, "", "", "", str(error)))
            failed += 1
            continue
        middle = found[len(found) // 2]
        times = [f"{seconds * 1e6:,.1f}" for seconds in (middle.base_s, middle.head_s)]
        rows.append((case.name, *times, f"{middle.median:.2f}", f"{found[0].median:.2f} to {found[-1].median:.2f}"))
    names = (arguments.first, arguments.second)
    print(
        "\n".join(
            report.table(("case", *[f"{name} [us]" for name in names], "ratio", "of three pairs of processes"), rows)
        )
    )
    return int(failed > 0)


def record(arguments: argparse.Namespace, say: Say) -> int:
    """Measure a commit and keep the times; 1 if a backend that must be measured was not.

    Raises:
        SettingError: the commit cannot be built.
    """
    repo = sides.repository()
    chosen = _cases(repo, arguments.cases)
    wanted = [name for name in arguments.backends.split(",") if name]
    measured = set()
    for ring in sides.RINGS if arguments.ring == "both" else (arguments.ring,):
        say(f"building {arguments.commit}, {ring}")
        found = history.measure(repo, arguments.commit, ring, chosen, wanted, say)
        measured |= {cell["device"].partition(":")[0] for cell in found["cells"] if "seconds" in cell}
        print(history.save(arguments.results, found))
    missing = [name for name in wanted if name not in measured]
    for name in missing:
        print(f"{name}: not measured ({found['backends'].get(name, {}).get('reason') or 'it is not installed'})")
    return int(bool(missing))


def init(arguments: argparse.Namespace, say: Say) -> int:
    """Write the files with which a backend's repository tracks its performance; files that are there stay as they are.

    Raises:
        SettingError: the repository has no backend.
    """
    written = initial.write(sides.repository())
    print("\n".join(written) or "everything is there already")
    say("next: commit these files, and try `polytape perf gate HEAD`")
    return 0


def site(arguments: argparse.Namespace, say: Say) -> int:
    """Build the site from kept times.

    Raises:
        SettingError: there are none.
    """
    for path in pages.build(history.load(arguments.results), arguments.output):
        print(path)
    if not pages.has_parquet():
        say("data.parquet needs the extra perf: pip install 'polytape[perf]'")
    return 0


def _cases(repo: Path, patterns: str) -> list[cases.Case]:
    """The cases that match, those of the repository's own included, which the workers then load too."""
    file = sides.cases_file(repo)
    try:
        chosen = cases.selected(patterns, file)
    except Exception as error:
        raise SettingError(
            f"the cases in {file} cannot be loaded.",
            expected="a Python file with a list CASES of pairs: a name, and what makes the call for a device",
            got=f"{type(error).__name__}: {error}",
            fix="correct the file",
        ) from error
    if not chosen:
        raise SettingError(
            f"no case matches {patterns}.",
            expected="panel, families or cases",
            got=repr(patterns),
            fix=f"choose from {', '.join(cases.by_family(cases.every(file)))}, or a case such as {cases.CASES[0].name}",
        )
    use_cases(file)
    return chosen


def _device(name: str, status: dict[str, dict[str, str]]) -> str:
    found = status.get(name, {})
    if not found.get("device"):
        ready = ", ".join(key for key, value in status.items() if value["device"])
        raise SettingError(
            f"backend {name!r} cannot be measured.",
            expected=f"a backend that is ready: {ready}",
            got=found.get("reason") or "a name that no backend has",
            fix=f"see `polytape backends`, or install {name}",
        )
    return found["device"]
