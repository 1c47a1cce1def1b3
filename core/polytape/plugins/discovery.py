"""Which plugins are installed, read from metadata alone; no plugin is imported here.

The scanner reads ``*.dist-info/entry_points.txt`` itself, because importlib.metadata would take longer than everything
else that happens at the first tensor. It is used only for path entries that are not directories (zip files).
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
# The plugin API's major version, and the versions whose plugins can be loaded: this one and the previous one, if any.
MAJOR: Final = 1
READABLE: Final = (1,)
OWN: Final = "polytape"
VARIABLE: Final = "POLYTAPE_PLUGINS"

_MARK: Final = b"[polytape."
_SUFFIXES: Final = (".dist-info", ".egg-info")


class EntryPoint:
    """One plugin as announced in its metadata.

    Args:
        group: ``polytape.backends`` or ``polytape.kernels``, without the version.
        major: major version of the plugin API it was written for.
        name: the backend that it provides (backends) or adds kernels to (kernels).
        value: module to import, with an optional ``:object``.
        dist: its distribution's name, as written in the metadata.
        version: its distribution's version.
        path: location of the metadata.
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
        """Whether this version of polytape can load plugins of that API version."""
        return self.major in READABLE


def normalise(dist: str) -> str:
    """The normalised form of a distribution's name, for comparison (PEP 503)."""
    parts = dist.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)


def _announced(text: str) -> list[tuple[str, int, str, str]]:
    """(group, major, name, value) of the entries of polytape's groups in an ``entry_points.txt``."""
    announced: list[tuple[str, int, str, str]] = []
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
            announced.append((group, major, name.strip(), value.partition("[")[0].strip()))
    return announced


def _read(path: str) -> bytes:
    """The file's bytes, or b"" if it is missing or unreadable: one damaged distribution must not hide the others."""
    try:
        # os.open rather than open: a third of the time for a hundred small files.
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
    """Name and version from METADATA or PKG-INFO, or from the folder's name if they are not there."""
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
    for filename in names:
        if not filename.endswith(_SUFFIXES) or filename[0] == "~":  # "~": left behind by pip during an uninstall
            continue
        stem = filename[: filename.rindex(".")]
        key = normalise(stem.partition("-")[0])
        if key in seen:  # as in Python, the first on sys.path hides later ones
            continue
        seen.add(key)
        path = os.path.join(folder, filename)
        data = _read(os.path.join(path, "entry_points.txt"))
        if _MARK in data:
            announced = _announced(data.decode("utf-8", "replace"))
            dist, version = _identity(path, stem) if announced else ("", "")
            for group, major, name, value in announced:
                yield EntryPoint(group, major, name, value, dist, version, path)


def _in_archive(path: str, seen: set[str]) -> Iterator[EntryPoint]:
    import importlib.metadata

    for distribution in importlib.metadata.distributions(path=[path]):
        dist = distribution.metadata["Name"] or ""
        if normalise(dist) in seen:
            continue
        seen.add(normalise(dist))
        for group, major, name, value in _announced(distribution.read_text("entry_points.txt") or ""):
            yield EntryPoint(group, major, name, value, dist, distribution.version, path)


def scan(path: Sequence[str] | None = None) -> tuple[EntryPoint, ...]:
    """Every installed polytape plugin, in the order of ``path`` (default: ``sys.path``).

    Plugins of every API version are listed; ``readable`` marks those that can be loaded. If a distribution announces
    a name for several versions, only the newest readable entry is kept.
    """
    seen: set[str] = set()
    entries: list[EntryPoint] = []
    locations: Sequence[object] = sys.path if path is None else path
    for location in locations:
        if not isinstance(location, str):
            continue
        try:
            names = os.listdir(location or ".")
        except NotADirectoryError:
            entries.extend(_in_archive(location, seen))
        except OSError:
            continue
        else:
            entries.extend(_in_folder(location, names, seen))
    best: dict[tuple[str, str, str], EntryPoint] = {}
    for entry in entries:
        key = (entry.group, normalise(entry.dist), entry.name)
        known = best.get(key)
        if known is None or (entry.readable, entry.major) > (known.readable, known.major):
            best[key] = entry
    return tuple(best.values())


class PluginFilter:
    """The plugins that ``POLYTAPE_PLUGINS`` allows; polytape's own distribution is always allowed.

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
            dist, slash, name = item.removeprefix("-").strip().partition("/")
            key = normalise(dist)
            if not _is_word(dist) or bool(slash) != _is_word(name) or key == "none":
                raise _bad_filter(self.text, item)
            target.append((key, name.strip().lower()))

    def __repr__(self) -> str:
        return f"PluginFilter({self.text!r})"

    def picks(self, entry: EntryPoint) -> bool:
        """Whether the entry is listed by distribution and name, which resolves a clash."""
        return (normalise(entry.dist), entry.name) in self.allow

    def blocks(self, entry: EntryPoint) -> bool:
        """Whether the entry must not be loaded."""
        dist = normalise(entry.dist)
        if dist == OWN:
            return False
        if (dist, "") in self.allow or (dist, entry.name) in self.allow:
            return False
        return self.none or bool(self.allow) or (dist, "") in self.block or (dist, entry.name) in self.block

    def unmatched(self, entries: Sequence[EntryPoint]) -> list[str]:
        """Items of the list that match no installed plugin, and are most likely misspelt."""
        known = {(normalise(entry.dist), name) for entry in entries for name in ("", entry.name)}
        items = [(dist, name, "") for dist, name in self.allow] + [(dist, name, "-") for dist, name in self.block]
        return [f"{sign}{dist}{'/' if name else ''}{name}" for dist, name, sign in items if (dist, name) not in known]


def _is_word(part: str) -> bool:
    text = part.strip()
    return text[:1].isalnum() and text.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()


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
