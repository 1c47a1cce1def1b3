"""Which plugins are installed, read from metadata alone: nothing of theirs is imported here.

The scanner reads ``*.dist-info/entry_points.txt`` itself: importlib.metadata would cost more than everything else at
the first tensor. It is asked only about what is no directory (zip files).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from ..errors import SettingError

__all__ = ["BACKENDS", "KERNELS", "MAJOR", "EntryPoint", "PluginFilter", "normalise", "read_filter", "scan"]

BACKENDS: Final = "polytape.backends"
KERNELS: Final = "polytape.kernels"
# The plugin API's major version, and those whose plugins are read: it and, once there is one, the one before.
MAJOR: Final = 1
READABLE: Final = (1,)
OWN: Final = "polytape"
VARIABLE: Final = "POLYTAPE_PLUGINS"

_MARK: Final = b"[polytape."
_SUFFIXES: Final = (".dist-info", ".egg-info")


class EntryPoint:
    """One plugin as its metadata announces it.

    Args:
        group: ``polytape.backends`` or ``polytape.kernels``, without the version.
        major: major version of the plugin API it was written for.
        name: backend it is (backends) or extends (kernels).
        value: module to import, with an optional ``:object``.
        dist: its distribution's name, as written in the metadata.
        version: its distribution's version.
        path: where the metadata lies.
    """

    __slots__ = ("dist", "group", "major", "name", "path", "value", "version")

    def __init__(self, group: str, major: int, name: str, value: str, dist: str, version: str, path: str) -> None:
        self.group: Final = group
        self.major: Final = major
        self.name: Final = name
        self.value: Final = value
        self.dist: Final = dist
        self.version: Final = version
        self.path: Final = path

    def __repr__(self) -> str:
        return f"EntryPoint({self.dist}/{self.name} {self.version}, {self.group}.v{self.major}, {self.value!r})"

    @property
    def readable(self) -> bool:
        """Whether this polytape reads plugins of that API version."""
        return self.major in READABLE


def normalise(dist: str) -> str:
    """A distribution's name in the one form names are compared in (PEP 503)."""
    parts = dist.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)


def _announced(text: str) -> list[tuple[str, int, str, str]]:
    """(group, major, name, value) of our groups in an ``entry_points.txt``."""
    found: list[tuple[str, int, str, str]] = []
    group = ""
    major = 0
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            group, _, version = line.strip("[] ").rpartition(".v")
            ours = group in (BACKENDS, KERNELS) and version.isdigit()
            group = group if ours else ""
            major = int(version) if ours else 0
        elif group and "=" in line:
            name, _, value = line.partition("=")
            found.append((group, major, name.strip(), value.partition("[")[0].strip()))
    return found


def _read(path: str) -> bytes:
    """The file's bytes; empty where it is missing or unreadable: one damaged distribution must not hide the others."""
    try:
        # os.open, not open: a third of the time over a hundred small files.
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        data = os.read(fd, 65536)
        while len(data) >= 65536:
            more = os.read(fd, 65536)
            data += more
            if not more:
                break
        return data
    except OSError:
        return b""
    finally:
        os.close(fd)


def _identity(folder: str, stem: str) -> tuple[str, str]:
    """Name and version from METADATA or PKG-INFO; from the folder's own name where those say nothing."""
    name, _, version = stem.partition("-")
    data = _read(os.path.join(folder, "METADATA")) or _read(os.path.join(folder, "PKG-INFO"))
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.strip():
            break
        key, _, value = line.partition(":")
        if key.lower() == "name":
            name = value.strip()
        elif key.lower() == "version":
            version = value.strip()
    return name, version


def _in_folder(folder: str, names: Sequence[str], seen: set[str]) -> Iterator[EntryPoint]:
    for entry in names:
        if not entry.endswith(_SUFFIXES) or entry[0] == "~":  # "~": what pip could not remove yet
            continue
        stem = entry[: entry.rindex(".")]
        key = normalise(stem.partition("-")[0])
        if key in seen:  # as Python does: the first on sys.path hides the later
            continue
        seen.add(key)
        path = os.path.join(folder, entry)
        data = _read(os.path.join(path, "entry_points.txt"))
        if _MARK in data:
            announced = _announced(data.decode("utf-8", "replace"))
            dist, version = _identity(path, stem) if announced else ("", "")
            for group, major, name, value in announced:
                yield EntryPoint(group, major, name, value, dist, version, path)


def _in_archive(path: str, seen: set[str]) -> Iterator[EntryPoint]:
    import importlib.metadata

    for found in importlib.metadata.distributions(path=[path]):
        dist = found.metadata["Name"] or ""
        if normalise(dist) in seen:
            continue
        seen.add(normalise(dist))
        for group, major, name, value in _announced(found.read_text("entry_points.txt") or ""):
            yield EntryPoint(group, major, name, value, dist, found.version, path)


def scan(path: Sequence[str] | None = None) -> tuple[EntryPoint, ...]:
    """Every polytape plugin installed, in the order of ``path`` (default: ``sys.path``).

    Plugins of every API version are listed; ``readable`` says which can be loaded. Of one distribution that announces
    a name for several versions, only the newest readable entry is kept.
    """
    seen: set[str] = set()
    found: list[EntryPoint] = []
    places: Sequence[object] = sys.path if path is None else path
    for place in places:
        if not isinstance(place, str):
            continue
        try:
            names = os.listdir(place or ".")
        except NotADirectoryError:
            found.extend(_in_archive(place, seen))
        except OSError:
            continue
        else:
            found.extend(_in_folder(place, names, seen))
    best: dict[tuple[str, str, str], EntryPoint] = {}
    for entry in found:
        key = (entry.group, normalise(entry.dist), entry.name)
        known = best.get(key)
        if known is None or (entry.readable, entry.major) > (known.readable, known.major):
            best[key] = entry
    return tuple(best.values())


class PluginFilter:
    """What ``POLYTAPE_PLUGINS`` lets in; polytape's own distribution always is.

    Args:
        text: ``""`` (everything), ``"none"``, or a comma list of ``dist`` and ``dist/name``, ``-`` before one blocks
            it. Where something is allowed by name, all else is left out; what is both allowed and blocked is allowed.
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
            dist, slash, name = item.removeprefix("-").strip().partition("/")
            key = normalise(dist)
            if not _is_word(dist) or bool(slash) != _is_word(name) or key == "none":
                raise _bad_filter(self.text, item)
            target.append((key, name.strip().lower()))

    def __repr__(self) -> str:
        return f"PluginFilter({self.text!r})"

    def picks(self, entry: EntryPoint) -> bool:
        """Whether the entry is allowed by distribution and name, which settles a clash."""
        return (normalise(entry.dist), entry.name) in self.allow

    def blocks(self, entry: EntryPoint) -> bool:
        """Whether the entry is left out."""
        dist = normalise(entry.dist)
        if dist == OWN:
            return False
        if (dist, "") in self.allow or (dist, entry.name) in self.allow:
            return False
        return self.none or bool(self.allow) or (dist, "") in self.block or (dist, entry.name) in self.block

    def unmatched(self, entries: Sequence[EntryPoint]) -> list[str]:
        """Items of the list that fit no installed plugin: most likely misspelt."""
        known = {(normalise(entry.dist), name) for entry in entries for name in ("", entry.name)}
        items = [(dist, name, "") for dist, name in self.allow] + [(dist, name, "-") for dist, name in self.block]
        return [f"{sign}{dist}{'/' if name else ''}{name}" for dist, name, sign in items if (dist, name) not in known]


def _is_word(part: str) -> bool:
    text = part.strip()
    return text[:1].isalnum() and text.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()


def _bad_filter(text: str, item: str) -> SettingError:
    return SettingError(
        f"{VARIABLE}={text!r} is not understood.",
        expected="'none', or a comma list of 'dist' and 'dist/name', with '-' before what is blocked",
        got=repr(item),
        fix="for example POLYTAPE_PLUGINS=polytape-sim or POLYTAPE_PLUGINS=-polytape-sim; unset, it loads all",
    )


def read_filter() -> PluginFilter:
    """The filter that ``POLYTAPE_PLUGINS`` says now.

    Raises:
        SettingError: it does not follow its grammar.
    """
    return PluginFilter(os.environ.get(VARIABLE, ""))
