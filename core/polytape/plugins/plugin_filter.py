"""``POLYTAPE_PLUGINS``: which plugins may be loaded. This module is loaded only if the variable is set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from ..backend import normalise
from ..errors import SettingError
from .discovery import EntryPoint, is_name

__all__ = ["PluginFilter", "read_filter"]

VARIABLE: Final = "POLYTAPE_PLUGINS"


class PluginFilter:
    """The plugins that ``POLYTAPE_PLUGINS`` allows; polytape's own plugins are always allowed.

    Args:
        text: ``""`` (everything), ``"none"``, or a comma-separated list of ``dist`` and ``dist/name``; a leading ``-``
            blocks the item. If any item is allowed, everything that is not listed is blocked. A plugin that is both
            allowed and blocked is allowed.
    Raises:
        SettingError: the text does not follow that grammar.
    """

    __slots__ = ("allow", "block", "none", "text")

    def __init__(self, text: str) -> None:
        self.text: Final = text.strip()
        self.none: Final[bool] = self.text.lower() == "none"
        self.allow: Final[list[tuple[str, str]]] = []
        self.block: Final[list[tuple[str, str]]] = []
        if self.none or not self.text:
            return
        for word in self.text.split(","):
            item = word.strip()
            target = self.block if item.startswith("-") else self.allow
            dist, slash, name = (part.strip() for part in item.removeprefix("-").partition("/"))
            key = normalise(dist)
            if not is_name(dist) or bool(slash) != is_name(name) or key == "none":
                raise _bad_filter(self.text, item)
            target.append((key, name.lower()))

    def __repr__(self) -> str:
        return f"PluginFilter({self.text!r})"

    def picks(self, entry: EntryPoint) -> bool:
        """Whether the entry is listed by distribution and name, which resolves a clash."""
        return (normalise(entry.dist), entry.name) in self.allow

    def blocks(self, entry: EntryPoint) -> bool:
        """Whether the entry must not be loaded."""
        if entry.own:
            return False
        dist = normalise(entry.dist)
        if (dist, "") in self.allow or (dist, entry.name) in self.allow:
            return False
        return self.none or bool(self.allow) or (dist, "") in self.block or (dist, entry.name) in self.block

    def unmatched(self, entries: Sequence[EntryPoint]) -> list[str]:
        """Items of the list that match no installed plugin, and are most likely misspelt."""
        known = {(normalise(entry.dist), name) for entry in entries for name in ("", entry.name)}
        items = [(dist, name, "") for dist, name in self.allow] + [(dist, name, "-") for dist, name in self.block]
        return [f"{sign}{dist}{'/' if name else ''}{name}" for dist, name, sign in items if (dist, name) not in known]


def _bad_filter(text: str, item: str) -> SettingError:
    return SettingError(
        f"{VARIABLE}={text!r} is not understood.",
        expected="'none', or a comma-separated list of 'dist' and 'dist/name', with '-' before each blocked item",
        got=repr(item),
        fix="for example POLYTAPE_PLUGINS=polytape-sim or POLYTAPE_PLUGINS=-polytape-sim; unset it to load all plugins",
    )


def read_filter() -> PluginFilter:
    """The filter for the current value of ``POLYTAPE_PLUGINS``.

    Raises:
        SettingError: the value does not follow the grammar.
    """
    return PluginFilter(os.environ.get(VARIABLE, ""))
