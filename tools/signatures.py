"""Signatures as Markdown, from the syntax trees of the sources. Uses only the standard library."""

from __future__ import annotations

import ast

__all__ = ["parameters", "signature"]

MAX_LINE = 96  # characters of a signature on one line


def signature(name: str, arguments: ast.arguments, returns: ast.expr | None) -> str:
    """A call with all parameters and annotations, as a block of code; without ``self``."""
    shown = parameters(arguments)
    result = f" -> {ast.unparse(returns)}" if returns is not None else ""
    line = f"{name}({', '.join(shown)}){result}"
    if len(line) > MAX_LINE:
        line = "\n".join([f"{name}(", *(f"    {part}," for part in shown), f"){result}"])
    return f"```python\n{line}\n```"


def parameters(arguments: ast.arguments) -> list[str]:
    """Each parameter as text, and the separators ``/`` and ``*``; without ``self``."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    shown = [_parameter(*pair) for pair in zip(positional, defaults, strict=True)]
    if arguments.posonlyargs:
        shown.insert(len(arguments.posonlyargs), "/")
    if arguments.vararg is not None:
        shown.append(f"*{_parameter(arguments.vararg)}")
    elif arguments.kwonlyargs:
        shown.append("*")
    shown += [_parameter(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg is not None:
        shown.append(f"**{_parameter(arguments.kwarg)}")
    if positional and positional[0].arg in ("self", "cls"):
        del shown[: 2 if shown[1:2] == ["/"] else 1]
    return shown


def _parameter(parameter: ast.arg, default: ast.expr | None = None) -> str:
    note = f": {ast.unparse(parameter.annotation)}" if parameter.annotation is not None else ""
    equals = " = " if note else "="
    value = "" if default is None else equals + ast.unparse(default).replace("dtypes.", "pt.")
    return f"{parameter.arg}{note}{value}"
