"""The printed form of modules: a line, a text with the modules below, a table."""

from __future__ import annotations

import inspect
from typing import Any

from ..state.trackable import Trackable
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .walking import walk

__all__ = ["construction", "line", "result", "table", "text"]

_MOST_LAYERS = 100  # of a text; a summary has all
_LONGEST = 80  # characters of an argument


def construction(value: Any) -> str:
    """``Class(argument, name=argument)``: the parameters of the class that are attributes and not the defaults."""
    shown: list[str] = []
    positional = True
    for name, parameter in inspect.signature(type(value)).parameters.items():
        named = parameter.kind is parameter.KEYWORD_ONLY
        if parameter.kind is parameter.VAR_KEYWORD:
            options = getattr(value, f"_{name}", {})
            shown += [f"{key}={_argument(option)}" for key, option in options.items()]
            continue
        argument = value.__dict__.get(name, parameter.default)
        if _is_shown(argument, parameter):
            shown.append(_argument(argument) if positional and not named else f"{name}={_argument(argument)}")
        else:
            positional = False
    return f"{type(value).__name__}({', '.join(shown)})"


def _is_shown(argument: Any, parameter: inspect.Parameter) -> bool:
    if parameter.kind is parameter.VAR_POSITIONAL or argument is parameter.empty or isinstance(argument, Trackable):
        return False
    default = parameter.default
    return argument is not default and (type(argument) is not type(default) or bool(argument != default))


def _argument(value: Any) -> str:
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str) and not isinstance(value, type):
        return name
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:  # a tensor or an array
        return f"{dtype}[{','.join(map(str, shape))}]"
    shown = "" if isinstance(value, Trackable) else repr(value)
    return shown if 0 < len(shown) <= _LONGEST else f"<{type(value).__name__}>"


def line(module: Trackable) -> str:
    """The module without the modules below."""
    try:
        return construction(module)
    except Exception:  # an argument of the user's may raise anything when it is compared or printed
        return f"{type(module).__name__}()"


def text(module: Trackable) -> str:
    """The module and those directly and indirectly below, one line each, indented by depth."""
    lines = [line(module)]
    trackables = [(path, value) for path, _, value in walk(module) if isinstance(value, Trackable)][1:]
    for path, value in trackables[:_MOST_LAYERS]:
        above = [other for other, _ in trackables if path.startswith(f"{other}/")]
        name = path[len(above[-1]) + 1 :] if above else path
        lines.append(f"{'  ' * (len(above) + 1)}{name}: {line(value)}")
    if len(trackables) > _MOST_LAYERS:
        lines.append(f"  and {len(trackables) - _MOST_LAYERS} more")
    return "\n".join(lines)


def result(value: Any) -> str:
    """The shapes of what a call returned."""
    if isinstance(value, Tensor):
        return f"({', '.join(map(str, value.shape))}{',' * (value.ndim == 1)})"
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(result, value)))
    return ""


def table(module: Trackable) -> str:
    """A table of the modules below, or of the module itself, with the number of elements of their own variables."""
    rows: dict[int, list[Any]] = {}
    variables: list[Variable] = []
    for path, owner, value in walk(module):
        if isinstance(value, Variable):
            variables.append(value)
            rows[id(owner)][3] += value.size
        else:
            output = value.__dict__.get("_output", "") or "-"
            rows[id(value)] = [path or type(value).__name__, type(value).__name__, output, 0]
    if len(rows) > 1 and not rows[id(module)][3]:
        del rows[id(module)]  # it is the title
    trained = [variable for variable in variables if variable.trainable]
    shown = [[*row[:3], f"{row[3]:,}"] for row in rows.values()]
    head = ["module", "class", "output", "elements"]
    widths = [max(len(row[k]) for row in [head, *shown]) for k in range(4)]
    rule = "-" * (sum(widths) + 6)
    body = [_row(row, widths) for row in shown]
    totals = [
        f"{name:<14}{sum(x.size for x in group):,} ({sum(x.size * x.dtype.itemsize for x in group):,} bytes)"
        for name, group in (("trained", trained), ("not trained", [x for x in variables if not x.trainable]))
    ]
    return "\n".join([line(module), rule, _row(head, widths), rule, *body, rule, *totals])


def _row(row: list[str], widths: list[int]) -> str:
    cells = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths, strict=False)]
    return "  ".join([*cells, f"{row[3]:>{widths[3]}}"])
