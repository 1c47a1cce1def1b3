"""Which plugins are installed, read from metadata alone; no plugin is imported here.

Anyone can install metadata, so it is not trusted: what is read of a distribution is bounded, what does not follow the
rules is reported and ignored, and a distribution is polytape's own because of where it is, not because of its name.

The scanner reads ``*.dist-info/entry_points.txt`` itself, because importlib.metadata would take longer than everything
else that happens at the first tensor.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from ..backend import normalise
from ..device import is_word

__all__ = ["BACKENDS", "KERNELS", "MAJOR", "EntryPoint", "is_name", "scan", "shown"]

BACKENDS: Final = "polytape.backends"
KERNELS: Final = "polytape.kernels"
# The plugin API's major version, and the versions whose plugins can be loaded: this one and the previous one, if any.
MAJOR: Final = 1
READABLE: Final = (1,)
OWN: Final = "polytape"

# Bounds per distribution, far above what any needs: bytes that are read of a file, entries, and reported problems.
MOST_NBYTES: Final = 1 << 20
MOST_ENTRIES: Final = 256

_PUNCTUATION: Final = str.maketrans("-_.", "aaa")
_MARK: Final = b"[polytape."
_SUFFIXES: Final = (".dist-info", ".egg-info")
# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FLAGS: Final[int] = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# The folder (or zip archive) that this process loads the package polytape from.
_ROOT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class EntryPoint:
    """One plugin as announced in its metadata.

    Args:
        group: ``polytape.backends`` or ``polytape.kernels``, without the version.
        major: major version of the plugin API it was written for.
        name: the backend that it provides (backends) or adds kernels to (kernels).
        value: module to import, with an optional ``:object``.
        dist: its distribution's name.
        version: its distribution's version.
        path: location of the metadata.
        root: for polytape's own distribution, the folder that holds its files, otherwise empty.
    """

    __slots__ = ("dist", "group", "major", "name", "path", "root", "value", "version")

    def __init__(
        self, group: str, major: int, name: str, value: str, dist: str, version: str, path: str, root: str = ""
    ) -> None:
        self.group: Final = group
        self.major: Final = major
        self.name: Final = name
        self.value: Final = value
        self.dist: Final = dist
        self.version: Final = version
        self.path: Final = path
        self.root: Final = root

    def __repr__(self) -> str:
        return f"EntryPoint({self.dist}/{self.name} {self.version}, {self.group}.v{self.major}, {self.value!r})"

    @property
    def own(self) -> bool:
        """Whether it belongs to the polytape that runs."""
        return self.root != ""

    @property
    def readable(self) -> bool:
        """Whether this version of polytape can load plugins of that API version."""
        return self.major in READABLE


# --- One distribution ---

# The first MOST_NBYTES + 1 bytes of a metadata file, by its name; b"" if there is none. Raises OSError.
Read = Callable[[str], bytes]
Report = Callable[[str], None]


def is_name(dist: str) -> bool:
    """Whether ``dist`` can be the name of a distribution (PEP 508)."""
    return dist.isascii() and dist[:1].isalnum() and dist.translate(_PUNCTUATION).isalnum()


def shown(text: str) -> str:
    """Untrusted text for a message: without control characters, and not too long."""
    return repr(text if len(text) <= 100 else f"{text[:100]}...")


def _read(path: str) -> bytes:
    """The first ``MOST_NBYTES + 1`` bytes of the file; b"" if there is none.

    Raises:
        OSError: the file cannot be read, or is not an ordinary file.
    """
    try:
        # os.open rather than open: a third of the time for a hundred small files.
        fd = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    try:
        data = more = os.read(fd, 65536)
        if not data and not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError("it is not an ordinary file")
        while len(more) == 65536 and len(data) <= MOST_NBYTES:
            more = os.read(fd, 65536)
            data += more
        return data[: MOST_NBYTES + 1]
    finally:
        os.close(fd)


def _name_and_version(stem: str, suffix: str) -> tuple[str, str]:
    """Name and version from the name of a metadata folder, without its suffix. The name may contain hyphens."""
    if suffix == ".egg-info":  # setuptools appends the Python version
        end = stem.rfind("-py")
        stem = stem[:end] if end > 0 and stem[end + 3 : end + 4].isdigit() else stem
    name, _, version = stem.rpartition("-")
    return (name, version) if name else (stem, "")


def _identity(read: Read, stem: str, suffix: str, report: Report) -> tuple[str, str]:
    """Name and version of a distribution. The metadata may spell the folder's name otherwise, but not change it."""
    name, version = _name_and_version(stem, suffix)
    data = read("METADATA" if suffix == ".dist-info" else "PKG-INFO")
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.strip():
            break
        key, _, value = line.partition(":")
        value = value.strip()
        if key.lower() == "name" and value != name:
            if normalise(value) == normalise(name):
                name = value
            else:
                report(f"it claims to be the distribution {shown(value)}; it is treated as {shown(name)}")
        elif key.lower() == "version" and value.isascii() and value.isprintable():
            version = value[:64]
    return name, version


def _announced(text: str, report: Report) -> Iterator[tuple[str, int, str, str]]:
    """(group, major, name, value) of the entries of polytape's groups in an ``entry_points.txt``."""
    group, major, count = "", 0, 0
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            header = line.strip("[] ")
            group, _, version = header.rpartition(".v")
            valid = group in (BACKENDS, KERNELS) and version.isascii() and version.isdigit() and len(version) < 7
            group, major = (group, int(version)) if valid else ("", 0)
            if not valid and header.startswith("polytape."):
                report(f"the group {shown(header)} is not one of {BACKENDS}.v{MAJOR} and {KERNELS}.v{MAJOR}")
        elif group:
            name, _, value = (part.strip() for part in line.partition("="))
            value = value.partition("[")[0].strip()
            count += 1
            if count > MOST_ENTRIES:
                report(f"it has more than {MOST_ENTRIES} entries; the others are ignored")
                return
            parts = value.replace(":", ".").split(".")
            if is_word(name) and value.count(":") <= 1 and all(part.isidentifier() for part in parts):
                yield group, major, name, value
            else:
                report(f"the entry {shown(line)} is not of the form 'backend = module' or 'backend = module:object'")


def _entries(read: Read, path: str, stem: str, suffix: str, root: str, problems: list[str]) -> list[EntryPoint]:
    """The plugins of one distribution.

    Args:
        read: reads its metadata files.
        path: its metadata folder.
        stem, suffix: the parts of that folder's name.
        root: as for `EntryPoint`.
        problems: what is wrong is appended here.
    """

    def report(text: str) -> None:
        if len(problems) < MOST_ENTRIES:
            problems.append(f"{shown(path)[1:-1]}: {text}")

    try:
        data = read("entry_points.txt")
        if _MARK not in data:
            return []
        if len(data) > MOST_NBYTES:
            report(f"entry_points.txt is larger than {MOST_NBYTES >> 20} MiB, so its plugins are ignored")
            return []
        announced = list(_announced(data.decode("utf-8", "replace"), report))
        dist, version = _identity(read, stem, suffix, report) if announced else ("", "")
    except Exception as error:  # a damaged archive fails with many types of errors
        report(f"its metadata cannot be read, so its plugins are ignored: {_reason(error)}")
        return []
    if announced and not is_name(dist):
        report(f"{shown(dist)} is not the name of a distribution, so its plugins are ignored")
        return []
    return [EntryPoint(group, major, name, value, dist, version, path, root) for group, major, name, value in announced]


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


# --- All distributions ---


def _own_root(location: str, folder: str) -> str:
    """The folder that holds polytape's files if the distribution is the one that this process runs, otherwise "".

    Args:
        location: the item of ``sys.path`` that the distribution is on.
        folder: its metadata folder.
    """
    if location == _ROOT:  # almost always; realpath takes 30 us
        return _ROOT
    root = os.path.realpath(_ROOT)
    if os.path.realpath(location or ".") == root:
        return root
    source = _editable_source(folder)
    return source if source and os.path.join(source, "core") == root else ""


def _editable_source(folder: str) -> str:
    """The checkout that an editable install refers to (PEP 610), or "" if it is not one."""
    import json
    from urllib.parse import unquote, urlsplit

    try:
        described = json.loads(_read(os.path.join(folder, "direct_url.json")))
        if not described["dir_info"]["editable"]:
            return ""
        path = unquote(urlsplit(described["url"]).path)
        return os.path.realpath(path.lstrip("/") if os.name == "nt" else path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _distributions(
    location: str, filenames: Iterable[str], read: Callable[[str, str], bytes], seen: set[str], problems: list[str]
) -> Iterator[EntryPoint]:
    """The plugins of the distributions in one item of ``sys.path``.

    Args:
        location: the item.
        filenames: the names in it, among them the metadata folders.
        read: reads a metadata file, by the names of the folder and the file.
        seen: the normalised names of the distributions found so far.
        problems: what is wrong is appended here.
    """
    for filename in filenames:
        if not filename.endswith(_SUFFIXES) or filename[0] == "~":  # "~": left behind by pip during an uninstall
            continue
        dot = filename.rindex(".")
        stem, suffix = filename[:dot], filename[dot:]
        folder = os.path.join(location, filename)
        key = normalise(_name_and_version(stem, suffix)[0])
        root = _own_root(location, folder) if key == OWN else ""
        if key in seen and not root:  # as in Python, the first on sys.path hides later ones
            continue
        seen.add(key)
        yield from _entries(partial(read, filename), folder, stem, suffix, root, problems)


def _in_archive(location: str, seen: set[str], problems: list[str]) -> Iterator[EntryPoint]:
    """The plugins of the distributions in a zip archive on ``sys.path``."""
    import zipfile

    with zipfile.ZipFile(location) as archive:

        def read(filename: str, name: str) -> bytes:
            try:
                with archive.open(f"{filename}/{name}") as file:
                    return file.read(MOST_NBYTES + 1)
            except KeyError:
                return b""

        paths = [path.partition("/") for path in archive.namelist()]
        folders = [folder for folder, _, name in paths if name == "entry_points.txt"]
        yield from _distributions(location, folders, read, seen, problems)


def _in_location(location: str, seen: set[str], problems: list[str]) -> Iterator[EntryPoint]:
    """The plugins of the distributions in one item of ``sys.path``, a folder or an archive."""
    try:
        filenames = os.listdir(location or ".")
    except NotADirectoryError:
        if os.path.isfile(location):  # not a FIFO, which would be waited for
            try:
                yield from _in_archive(location, seen, problems)
            except Exception as error:  # a damaged archive fails with many types of errors
                problems.append(f"{shown(location)[1:-1]}: it cannot be read as an archive: {_reason(error)}")
    except (OSError, ValueError):
        return
    else:

        def read(filename: str, name: str) -> bytes:
            return _read(os.path.join(location, filename, name))

        yield from _distributions(location, filenames, read, seen, problems)


def scan(path: Sequence[str] | None = None, problems: list[str] | None = None) -> tuple[EntryPoint, ...]:
    """Every installed polytape plugin, in the order of ``path`` (default: ``sys.path``).

    Plugins of every API version are listed; ``readable`` marks those that can be loaded. If a distribution announces
    a name for several versions, only the newest readable entry is kept. Metadata that does not follow the rules is
    ignored; what is wrong with it is appended to ``problems``, one line each.
    """
    found: list[str] = [] if problems is None else problems
    seen: set[str] = set()
    locations: Sequence[object] = sys.path if path is None else path
    entries = [
        entry for location in locations if isinstance(location, str) for entry in _in_location(location, seen, found)
    ]
    own_exists = any(entry.own for entry in entries)
    best: dict[tuple[str, str, str], EntryPoint] = {}
    for entry in entries:
        dist = normalise(entry.dist)
        if dist == OWN and own_exists and not entry.own:
            found.append(f"{shown(entry.path)[1:-1]}: it is not the polytape that runs, so {entry.name!r} is ignored")
            continue
        known = best.get((entry.group, dist, entry.name))
        if known is None or (entry.readable, entry.major) > (known.readable, known.major):
            best[entry.group, dist, entry.name] = entry
    return tuple(best.values())
