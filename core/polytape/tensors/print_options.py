"""How many digits, elements and characters tensors print with."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import numpy as np

from ..errors import SettingError

__all__ = ["PrintOptions", "get_printoptions", "printoptions", "set_printoptions"]


class PrintOptions(NamedTuple):
    """The options of `polytape.set_printoptions`; None leaves one to NumPy's own options."""

    precision: int | None = None
    threshold: int | None = None
    edgeitems: int | None = None
    linewidth: int | None = None
    suppress: bool | None = None
    sci_mode: bool | None = None


_PROFILES: Final = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, threshold=1000, edgeitems=2),
    "full": PrintOptions(threshold=sys.maxsize),
}


class _Holder:
    """Holds the options of the process, so that one assignment replaces them."""

    def __init__(self) -> None:
        self.options = PrintOptions()


_holder: Final = _Holder()
_scope: Final[ContextVar[PrintOptions | None]] = ContextVar("polytape.print_options", default=None)


def get_printoptions() -> PrintOptions:
    """The options that hold here: those of `printoptions`, or else of `set_printoptions`."""
    scope = _scope.get()
    return _holder.options if scope is None else scope


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    suppress: bool | None = None,
    sci_mode: bool | None = None,
    profile: str | None = None,
) -> None:
    """Set how tensors print, for the whole process; what is not given stays as it is.

    Args:
        precision: the largest number of digits after the decimal point; in scientific notation the exact number.
        threshold: a tensor with more elements is abbreviated; default 1000. ``float("inf")`` prints all.
        edgeitems: how many elements an abbreviated tensor shows at each end of an axis; default 3.
        linewidth: the number of characters per line; default 75.
        suppress: True prints floats without an exponent.
        sci_mode: True prints floats in scientific notation; False is ``suppress=True``.
        profile: ``"default"``, ``"short"`` or ``"full"``: begin with these instead of the present options.
    Raises:
        SettingError: a value is out of range, or ``profile`` is none of these.
    Source:
        NumPy, ``set_printoptions``; PyTorch, ``set_printoptions``.

    >>> with pt.printoptions(precision=3):
    ...     print(pt.asarray([1 / 3, 2.0]))
    [0.333 2.   ]
    """
    _holder.options = _changed(_holder.options, profile, _given(locals()))


@contextlib.contextmanager
def printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    suppress: bool | None = None,
    sci_mode: bool | None = None,
    profile: str | None = None,
) -> Iterator[PrintOptions]:
    """Set how tensors print in a ``with`` block, in this thread or task.

    Args:
        precision, threshold, edgeitems, linewidth, suppress, sci_mode, profile: as for `set_printoptions`.
    Raises:
        SettingError: as for `set_printoptions`.
    """
    options = _changed(get_printoptions(), profile, _given(locals()))
    token = _scope.set(options)
    try:
        yield options
    finally:
        _scope.reset(token)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options among the arguments of a call."""
    return {name: value for name, value in arguments.items() if name in PrintOptions._fields and value is not None}


def _changed(old: PrintOptions, profile: str | None, given: dict[str, Any]) -> PrintOptions:
    """The options ``old``, or those of a profile, with others in place of some."""
    if profile is not None and profile not in _PROFILES:
        raise _invalid("profile", profile, " or ".join(map(repr, _PROFILES)))
    for name, least in (("precision", 0), ("threshold", 0), ("edgeitems", 1), ("linewidth", 1)):
        value = given.get(name, least)
        if name == "threshold" and value == float("inf"):
            given[name] = sys.maxsize
        elif isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _invalid(name, value, f"an int of {least} or more")
    return (old if profile is None else _PROFILES[profile])._replace(**given)


def _invalid(name: str, value: Any, expected: str) -> SettingError:
    return SettingError(
        f"set_printoptions: {name}={value!r} is not valid.", expected=expected, got=repr(value), fix="pass one of these"
    )


def _scientific(digits: int) -> dict[str, Any]:
    """NumPy's formatters that print floats and complex numbers in scientific notation."""

    def real(x: Any) -> str:
        return format(float(x), f".{digits}e")

    def both(x: Any) -> str:
        return f"{float(x.real):.{digits}e}{float(x.imag):+.{digits}e}j"

    return {"float_kind": real, "complex_kind": both}


def applied(options: PrintOptions) -> contextlib.AbstractContextManager[Any]:
    """A context in which NumPy prints as the options say."""
    given = options._asdict()
    sci_mode = given.pop("sci_mode")
    if sci_mode is False:
        given["suppress"] = True
    elif sci_mode:
        given["formatter"] = _scientific(4 if options.precision is None else options.precision)
    given = {name: value for name, value in given.items() if value is not None}
    return np.printoptions(**given) if given else contextlib.nullcontext()
