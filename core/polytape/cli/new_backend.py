"""Make a new distribution with a backend: plugin, kernels, tests, configuration. Its tests pass at once.

Kinds: numpy-like (default) is for a library with NumPy's names; device is for a device with its own memory, whose
kernels you write; extends is for faster kernels on NumPy's arrays.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import textwrap
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from .. import plugins
from ..errors import PluginError, SettingError
from ..registry import tables

__all__ = ["KINDS", "add_arguments", "files", "run"]

KINDS: Final = ("numpy-like", "device", "extends")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_MOST_LETTERS: Final = 40
# POLYTAPE_BACKEND and POLYTAPE_PLUGINS give these words another meaning.
_RESERVED: Final = ("auto", "none", "all")
# Setuptools does not install files whose names begin with a dot.
_DOTTED: Final = {"gitignore": ".gitignore", "github": ".github"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", help="name of the backend, as in POLYTAPE_BACKEND=NAME")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="what to start with (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="the folder to create (default: polytape-NAME)")


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and print what to do next."""
    name: str = arguments.name
    check_name(name)
    folder: Path = arguments.folder or Path(f"polytape-{name.replace('_', '-')}")
    contents = files(name, arguments.kind)
    _write(folder, contents)
    print(f"{folder}: {len(contents)} files, a distribution with the backend {name}. Next:\n")
    print(f"  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  polytape conformance {name}\n")
    print("README.md says what to change where.")
    return 0


def check_name(name: str) -> None:
    """Check that the name can be that of a new backend, distribution and module.

    Raises:
        PluginError: it cannot.
    """
    if not _NAME.fullmatch(name) or len(name) > _MOST_LETTERS or name in _RESERVED:
        raise PluginError(
            f"{name!r} cannot be the name of a new backend.",
            expected=f"lower-case letters and digits in words joined by '-' or '_', a letter first, {_MOST_LETTERS} "
            f"characters at most; none of {', '.join(_RESERVED)}",
            got=repr(name),
            fix="choose a name that works in POLYTAPE_BACKEND, as polytape-NAME and as the module polytape_NAME",
        )
    module = _module(name)
    installed = plugins.is_known(name)
    if installed or importlib.util.find_spec(module) is not None:
        raise PluginError(
            f"there is already {f'a backend {name!r}' if installed else f'a module {module}'}.",
            expected="a name that no installed backend has",
            got=repr(name),
            fix="choose another name, or uninstall the other one",
        )


def _module(name: str) -> str:
    return f"polytape_{name.replace('-', '_')}"


def files(name: str, kind: str) -> dict[str, str]:
    """The files of the distribution: path -> contents."""
    primitives = " ".join(sorted(name for name, op in tables.ops().items() if op.primitive))
    values = {
        "name": name,
        "module": _module(name),
        "dist": f"polytape-{name.replace('_', '-')}",
        "primitives": textwrap.fill(primitives, 100, break_long_words=False),
    }
    root = resources.files(__package__).joinpath("templates")
    found: dict[str, str] = {}
    for part in ("common", kind):
        _collect(root.joinpath(part), "", values, found)
    return found


def _collect(folder: Traversable, prefix: str, values: dict[str, str], found: dict[str, str]) -> None:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = entry.name.removesuffix(".txt")
        name = values["module"] if name == "package" else _DOTTED.get(name, name)
        if entry.is_dir():
            _collect(entry, f"{prefix}{name}/", values, found)
        elif entry.name.endswith(".txt"):
            found[prefix + name] = Template(entry.read_text(encoding="utf-8")).substitute(values)


def _write(folder: Path, contents: dict[str, str]) -> None:
    """Write the files into a new folder.

    Raises:
        SettingError: the folder exists or cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        for path, text in contents.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        exists = isinstance(error, FileExistsError)
        raise SettingError(
            f"{folder} {'exists already' if exists else f'cannot be written: {error}'}.",
            expected="a folder that does not exist yet, in one that can be written",
            got=str(folder),
            fix="choose another with --folder; new-backend never changes existing files",
        ) from None
