"""Slowdowns that were accepted, each with its reason, in a file of the repository.

An entry counts for the comparison of the commit that adds it with an earlier one: it is in the file of the head and not
in that of the base. Later comparisons start from the new speed, so an entry never hides a second slowdown.
"""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, NamedTuple

from polytape.errors import SettingError

from .sides import text_at

__all__ = ["FILE", "Entry", "added", "parsed"]

FILE: Final = "perf-accepted.json"


class Entry(NamedTuple):
    """One accepted change.

    Attributes:
        case, device, measure: patterns with ``*``; measures are ``time``, those of lane A, ``backend`` and ``kernel``.
        factor: up to how many times the base's value.
        reason: why it is accepted.
    """

    case: str
    device: str
    measure: str
    factor: float
    reason: str

    def covers(self, case: str, device: str, measure: str, factor: float) -> bool:
        """Whether a change is accepted by this entry."""
        patterns = zip((case, device, measure), (self.case, self.device, self.measure), strict=True)
        return factor <= self.factor and all(fnmatch(value, pattern) for value, pattern in patterns)


def parsed(text: str, where: str) -> list[Entry]:
    """The entries of a file's text; none if it is empty.

    Raises:
        SettingError: an entry lacks a field or a reason.
    """
    try:
        entries = [Entry(**entry) for entry in json.loads(text or "[]")]
        valid = all(entry.reason.strip() and entry.factor > 0 for entry in entries)
    except (TypeError, ValueError, AttributeError) as error:
        raise _invalid(where, str(error)) from None
    if not valid:
        raise _invalid(where, "an entry without a reason, or without a positive factor")
    return entries


def _invalid(where: str, got: str) -> SettingError:
    return SettingError(
        f"{where} is not a list of accepted slowdowns.",
        expected=f"a JSON list of objects with {', '.join(Entry._fields)}",
        got=got,
        fix="correct the entry, and give its reason in one sentence",
    )


def added(repo: Path, base: str, head: str) -> list[Entry]:
    """The entries that the head has and the base has not."""
    old = parsed(text_at(repo, base, FILE), f"{FILE} of {base}")
    return [entry for entry in parsed(text_at(repo, head, FILE), f"{FILE} of {head}") if entry not in old]
