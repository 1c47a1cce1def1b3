"""Run a graph from a file that the export of a traced function wrote. Without feeds, show its signature and the graph.

The results are printed, or written to .npy files. Variables have the values of the file at each start.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import numpy as np

from ..errors import DataError, DTypeError, PolytapeError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("graph", metavar="GRAPH", help="the file")
    parser.add_argument(
        "--feed",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an argument: a .npy file, or a number or nested list as JSON; once for each argument",
    )
    parser.add_argument("--output", metavar="DIR", help="write each result to DIR/NAME.npy, instead of printing it")
    parser.add_argument("--print", action="store_true", help="print the results, also with --output")
    parser.add_argument("--device", help="where it runs, such as numba or gpu:0; default: the default device")


def run(arguments: argparse.Namespace) -> int:
    """Run the graph, or show it."""
    import polytape as pt

    loaded = pt.load_graph(arguments.graph, device=arguments.device)
    if not arguments.feed and loaded.arguments:
        _show(arguments.graph, loaded)
        return 0
    feeds = _feeds(arguments.feed, loaded)
    try:
        results = loaded.run(feeds)
    except PolytapeError:
        raise
    except Exception as error:  # a kernel rejects values, which no rule can check before
        print(f"polytape run: {type(error).__name__}: {error}", *getattr(error, "__notes__", []), file=sys.stderr)
        return 1
    _write(results, arguments.output, arguments.print or arguments.output is None)
    return 0


def _show(path: str, loaded: Any) -> None:
    print(f"{path}: {loaded.name} on {loaded.device}, {len(loaded.variables)} variables")
    for name, spec in loaded.arguments.items():
        sizes = ",".join(map(str, spec.shape))
        print(f"  --feed {name}=VALUE   {spec.dtype}[{sizes}]")
    print(loaded.graph)


def _feeds(words: list[str], loaded: Any) -> dict[str, Any]:
    """The arguments by name.

    Raises:
        DTypeError: a word is no feed, or its name is unknown or repeated.
        DataError: a file cannot be read.
    """
    feeds: dict[str, Any] = {}
    known = loaded.arguments
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in known or name in feeds:
            raise DTypeError(
                f"--feed {word} is not valid.",
                expected=f"NAME=VALUE, once for each of {', '.join(known) or 'no argument'}",
                got=f"{name!r} again" if name in feeds else repr(word),
                fix="see the signature: call polytape run with the graph alone",
            )
        feeds[name] = _array(word, text, known[name].dtype)
    return feeds


def _array(word: str, text: str, dtype: Any) -> Any:
    """The value of a feed: that of a file as it is, a number or list in the argument's dtype."""
    try:
        if text.endswith(".npy"):
            return np.load(text, allow_pickle=False)
        value = json.loads(text)
        converted = np.asarray(value, dtype)
        exact = np.asarray(value)
        if exact.dtype.kind not in "bif" or (exact.dtype.kind == "f" and converted.dtype.kind in "iub"):
            raise ValueError(f"{dtype} cannot hold {text}")
        return converted
    except (OSError, ValueError, OverflowError, TypeError, RecursionError, EOFError) as error:
        raise DataError(
            f"--feed {word} cannot be read.",
            expected=f"the path of a .npy file, or {dtype} numbers as JSON, such as 2.5 or [[1, 2], [3, 4]]",
            got=f"{type(error).__name__}: {error}",
            fix="write the file with numpy.save(path, array), or correct the numbers",
        ) from None


def _write(results: Any, folder: str | None, printed: bool) -> None:
    """Print the results, and write the tensors among them."""
    for name, value in _named(results, "result"):
        array = value.numpy() if hasattr(value, "numpy") else value
        if printed:
            kind = f": {array.dtype}[{','.join(map(str, array.shape))}]" if isinstance(array, np.ndarray) else ""
            print(f"{name}{kind} = {value}")
        if folder is not None and isinstance(array, np.ndarray):
            try:
                os.makedirs(folder, exist_ok=True)
                path = os.path.join(folder, f"{name}.npy")
                np.save(path, array)
            except OSError as error:
                raise DataError(
                    f"the result {name} cannot be written to {folder!r}.",
                    expected="a folder that can be written to",
                    got=str(error),
                    fix="choose another folder with --output",
                ) from None
            print(f"wrote {path}", file=sys.stderr)


def _named(x: Any, name: str) -> list[tuple[str, Any]]:
    """The leaves of a structure, each with a name made from its path."""
    if isinstance(x, dict):
        return [pair for key, y in x.items() for pair in _named(y, f"{name}_{key}")]
    if isinstance(x, (list, tuple)):
        return [pair for position, y in enumerate(x) for pair in _named(y, f"{name}_{position}")]
    return [(_safe(name), x)]


def _safe(name: str) -> str:
    """A name that is a file's name too: a key of the results could be a path."""
    return "".join([character if character.isalnum() else "_" for character in name])
