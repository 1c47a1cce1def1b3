"""Accepted slowdowns: an entry needs a reason, covers what its patterns match, and only where it was added."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from polytape.errors import SettingError
from polytape_perf.accepted import FILE, Entry, added, parsed

ENTRY = {"case": "dispatch/*", "device": "numpy:*", "measure": "opcodes", "factor": 1.2, "reason": "checks types"}


def test_an_entry_covers_what_its_patterns_match_up_to_its_factor() -> None:
    (entry,) = parsed(json.dumps([ENTRY]), FILE)
    assert entry.covers("dispatch/add", "numpy:cpu", "opcodes", 1.2)
    assert not entry.covers("dispatch/add", "numpy:cpu", "opcodes", 1.21)
    assert not entry.covers("dispatch/add", "numpy:cpu", "time", 1.1)
    assert not entry.covers("tape/gradient", "numpy:cpu", "opcodes", 1.1)
    assert not entry.covers("dispatch/add", "numba:cpu", "opcodes", 1.1)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        json.dumps([{**ENTRY, "reason": " "}]),
        json.dumps([{**ENTRY, "factor": 0}]),
        json.dumps([{**ENTRY, "factor": "much"}]),
        json.dumps([{key: value for key, value in ENTRY.items() if key != "reason"}]),
        json.dumps([{**ENTRY, "note": "x"}]),
    ],
)
def test_a_file_that_is_not_a_list_of_entries_with_reasons_is_an_error(text: str) -> None:
    with pytest.raises(SettingError, match="is not a list of accepted slowdowns"):
        parsed(text, FILE)


def test_only_entries_that_the_head_adds_count(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@b")
    git("config", "user.name", "A")
    for number, entries in enumerate([[], [ENTRY], [ENTRY, {**ENTRY, "measure": "bytes"}]]):
        if entries:
            (tmp_path / FILE).write_text(json.dumps(entries), encoding="utf-8")
        (tmp_path / "number").write_text(str(number), encoding="utf-8")
        git("add", ".")
        git("commit", "-qm", str(number))
    assert added(tmp_path, "HEAD~2", "HEAD~1") == [Entry(**ENTRY)]  # type: ignore[arg-type]
    assert [entry.measure for entry in added(tmp_path, "HEAD~1", "HEAD")] == ["bytes"]
    assert added(tmp_path, "HEAD", "HEAD") == []
    (tmp_path / FILE).unlink()
    assert added(tmp_path, "HEAD", ".") == []
