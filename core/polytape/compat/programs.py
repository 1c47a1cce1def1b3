"""Run unchanged programs and notebooks that were written for TensorFlow 1.7."""

from __future__ import annotations

import ast
import json
import linecache
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from ..errors import PolytapeError
from .aliases import tensorflow_modules

__all__ = ["ProgramError", "cells", "run"]


class ProgramError(PolytapeError, ValueError):
    """A file is no program or notebook that can be run."""


def run(path: str, arguments: Sequence[str] = ()) -> int:
    """Run a program as ``__main__``, and return its exit status.

    The program's standard output and error are those of the process. Its modules and `sys.argv` are removed afterwards.

    Args:
        path: a Python file, or a notebook; a notebook's code cells run in order, and print what they would show.
        arguments: the program's arguments.
    Raises:
        ProgramError: the file cannot be read as either.
    """
    file = Path(path)
    if file.suffix not in (".py", ".ipynb"):
        raise ProgramError(
            f"{path} is not a program.",
            expected="a file .py or .ipynb",
            got=file.suffix or "no suffix",
            fix="rename it",
        )
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProgramError(
            f"{path} cannot be read.", expected="a text file in UTF-8", got=str(error), fix="check the path"
        ) from None
    parts = cells(text, path) if file.suffix == ".ipynb" else [("", text)]
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(file), __builtins__=__builtins__)
    saved = sys.argv, sys.path[:], sys.modules["__main__"]
    sys.argv = [str(file), *arguments]
    sys.path.insert(0, str(file.resolve().parent))
    sys.modules["__main__"] = main
    try:
        with tensorflow_modules():
            return _run_parts(parts, str(file), main.__dict__)
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = saved


def _run_parts(parts: list[tuple[str, str]], path: str, scope: dict[str, Any]) -> int:
    for title, source in parts:
        name = f"{path}[{title}]" if title else path
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        try:
            for code, shown in _compiled(source, name, interactive=bool(title)):
                value = eval(code, scope)
                if shown and value is not None:
                    print(repr(value))
        except SystemExit as stop:
            if stop.code is not None and not isinstance(stop.code, int):
                print(stop.code, file=sys.stderr)
            return int(stop.code) if isinstance(stop.code, int) else int(stop.code is not None)
        except Exception as error:
            _report(error, title)
            return 1
    return 0


def _compiled(source: str, name: str, interactive: bool) -> list[tuple[CodeType, bool]]:
    """The code of a part, each with whether its value is shown: that of a last expression in a cell."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    if not interactive or not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        return [(compile(tree, name, "exec"), False)]
    first = ast.Module(tree.body[:-1], type_ignores=[])
    return [(compile(first, name, "exec"), False), (compile(ast.Expression(last.value), name, "eval"), True)]


def _report(error: Exception, title: str) -> None:
    """Print the traceback, without the frames of this module."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    if title:
        print(f"Error in {title}:", file=sys.stderr)
    traceback.print_exception(type(error), error, frames)


def cells(text: str, path: str) -> list[tuple[str, str]]:
    """The code cells of a notebook: a title, which has the cell's number, and the source.

    Lines for the shell or for the notebook itself, such as ``!pip install`` or ``%matplotlib inline``, become comments.

    Args:
        text: of the file.
        path: of the file, for errors.
    Raises:
        ProgramError: the text is no notebook.
    """
    try:
        notebook = json.loads(text)
        found = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        sources = [
            (number, _joined(cell.get("source", cell.get("input", ""))))
            for number, cell in enumerate(found, 1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ProgramError(
            f"{path} is not a notebook.",
            expected="a JSON file of Jupyter's notebook format 3 or 4",
            got=f"{type(error).__name__}: {error}",
            fix="export the notebook as a Python file",
        ) from None
    return [(f"cell {number}", _without_commands(source)) for number, source in sources]


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _without_commands(source: str) -> str:
    if source.startswith("%%"):  # a cell in another language, or for the notebook
        return "".join(f"# {line}" for line in source.splitlines(keepends=True))
    lines = []
    for line in source.splitlines(keepends=True):
        body = line.lstrip()
        indent = line[: len(line) - len(body)]
        lines.append(f"{indent}pass  # {body}" if body.startswith(("!", "%")) else line)
    return "".join(lines)
