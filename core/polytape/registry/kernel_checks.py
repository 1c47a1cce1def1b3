"""The checks that a kernel must pass to be registered, and the order in which an op's kernels are tried.

Core calls a kernel with the operands by position and the attributes by name; a function that cannot be called that way
is rejected here, and not by the first call that needs it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final

from .. import dtypes
from ..backend import Kernel, normalise
from ..device import is_word
from ..errors import DTypeError, RegistrationError
from .op import Op

__all__ = ["check_kernel", "in_order", "kernel_signature"]

_FIX: Final = "correct the kernel's declaration; `polytape.ops` lists every op with its signature"
# Attributes that core resolves: a kernel of an op that has them always gets them, a predicate never does.
_RESOLVED: Final = ("dtype", "device")
_OPERATORS: Final = ("+", "-", "*", "/")
Problem = tuple[str, str, str, str]  # the arguments of an error: why, expected, got, fix


def check_kernel(kernel: Kernel, op: Op | None) -> None:
    """Check that a kernel fits its op: backend, device kinds, dtypes, and how core calls it and its predicate.

    Raises:
        RegistrationError: the kernel does not fit; the error names the kernel, its op and its distribution.
    """
    if op is None:
        raise _bad(
            kernel, "there is no such op", "the name of a declared op; `polytape.ops` lists them all", repr(kernel.op)
        )
    if not kernel.backend:
        raise _bad(kernel, "it names no backend", "the name of a backend in backend=", "backend=''")
    if not callable(kernel.fn):
        raise _bad(kernel, "it is not callable", "a function", repr(kernel.fn))
    if kernel.when is not None and not callable(kernel.when):
        raise _bad(kernel, "its predicate is not callable", "a function in when=, or None", repr(kernel.when))
    for kind in kernel.devices:
        if not is_word(kind) or kind != kind.lower():
            raise _bad(kernel, "it names an invalid device kind", "lower-case words such as 'cpu', 'gpu'", repr(kind))
    if kernel.dtypes != ("any",):
        _check_dtypes(kernel, op)
    for name in kernel.writes:
        if name not in op.operands:
            raise _bad(
                kernel, "it writes something that is not an operand", f"one of {', '.join(op.operands)}", repr(name)
            )
    if kernel.atomic:
        _check_atomic(kernel)
    if kernel.native_indexing and op.name not in ("getitem", "setitem"):
        raise _bad(kernel, "it declares native_indexing", "that only for getitem and setitem", f"a kernel of {op.name}")
    if kernel.operator and (kernel.operator not in _OPERATORS or op.operands != ("x1", "x2") or op.attributes):
        expected = f"one of {' '.join(_OPERATORS)}, for an op of two operands without attributes"
        raise _bad(kernel, "it declares an operator that graphs cannot write", expected, repr(kernel.operator))
    problem = _problem_of(kernel, op)
    if problem is not None:
        raise _bad(kernel, *problem)


def _check_atomic(kernel: Kernel) -> None:
    """Check that a kernel which is said to run no Python code while it writes is not a Python function."""
    if not kernel.writes:
        raise _bad(kernel, "it is atomic, but writes nothing", "writes=, the names of the operands", "writes=()")
    fn = kernel.fn
    while isinstance(fn, partial):
        fn = fn.func
    if isinstance(fn, (FunctionType, MethodType)) or not kernel.checked:
        raise _bad(
            kernel,
            "it is atomic, but runs Python code, in which a signal handler may run",
            "a checked kernel that is compiled, or one native call",
            "a Python function" if kernel.checked else "checked=False",
        )


def _check_dtypes(kernel: Kernel, op: Op) -> None:
    """Check that the dtypes exist, and that a tuple of them has one entry per operand."""
    for entry in kernel.dtypes:
        for part in _parts(entry):
            try:
                dtypes.names_of(part)  # raises for an unknown name, which would otherwise fail at every later call
            except DTypeError as error:
                raise _bad(kernel, error.summary.rstrip("."), error.expected, error.got) from None
        count = len([position for position in range(len(op.operands)) if not op.on_host(position)]) or 1
        if isinstance(entry, tuple) and len(entry) != count and not (op.variadic or op.optional):
            raise _bad(
                kernel,
                f"a tuple in dtypes has {len(entry)} entries",
                f"{count}: one per operand of {op.name} on the device",
                repr(entry),
            )


def _bad(kernel: Kernel, why: str, expected: str, got: str, fix: str = _FIX) -> RegistrationError:
    return RegistrationError(f"{kernel!r} cannot be registered: {why}.", expected=expected, got=got, fix=fix)


# --- How core calls a kernel ---


class _Parameters:
    """A function's parameters.

    Attributes:
        positional: the names of those that can be given by position.
        by_name: the names that can be given by name.
        bare: the names, among all, of those without a default.
        defaults: name -> default.
        any_position, any_name: whether it has ``*args`` and ``**kwargs``.
    """

    __slots__ = ("any_name", "any_position", "bare", "by_name", "defaults", "positional")

    def __init__(
        self,
        positional: Sequence[str],
        by_name: Sequence[str],
        defaults: dict[str, Any],
        any_position: bool,
        any_name: bool,
    ) -> None:
        self.positional: Final = positional
        self.by_name: Final = by_name
        self.defaults: Final = defaults
        self.bare: Final = [name for name in dict.fromkeys((*positional, *by_name)) if name not in defaults]
        self.any_position: Final = any_position
        self.any_name: Final = any_name


def _parameters_of(fn: Any) -> _Parameters | None:
    """The parameters of a function or callable object; None if it does not tell."""
    if type(fn) is FunctionType:  # the usual case, at a tenth of the cost of inspect.signature
        code = fn.__code__
        names, count = code.co_varnames, code.co_argcount
        positional = names[:count]
        values = fn.__defaults__ or ()
        defaults = dict(zip(positional[count - len(values) :], values, strict=True))
        defaults.update(fn.__kwdefaults__ or {})
        by_name = names[code.co_posonlyargcount : count + code.co_kwonlyargcount]
        flags = code.co_flags
        return _Parameters(
            positional, by_name, defaults, bool(flags & inspect.CO_VARARGS), bool(flags & inspect.CO_VARKEYWORDS)
        )
    try:
        parameters = inspect.signature(fn, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = inspect.Parameter
    return _Parameters(
        [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)],
        [p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)],
        {p.name: p.default for p in parameters if p.default is not kinds.empty},
        any(p.kind is kinds.VAR_POSITIONAL for p in parameters),
        any(p.kind is kinds.VAR_KEYWORD for p in parameters),
    )


def kernel_signature(op: Op, *, spec: bool = False, out: bool = False, predicate: bool = False) -> str:
    """How core calls a kernel of ``op``, or its predicate.

    Core passes a parameter that has a default here only if the caller of the op gave it.
    """
    operands = list(op.operands)
    if op.variadic:
        operands[-1] = f"*{operands[-1]}"
    attributes = [name for name in op.attributes if not (predicate and name in _RESOLVED)]
    named = [
        name if name in _RESOLVED or name not in op.defaults else f"{name}={op.defaults[name]!r}" for name in attributes
    ]
    named += ["spec"] * spec + ["out=None"] * out
    separator = ["*"] if named and not op.variadic else []
    return f"({', '.join([*operands, *separator, *named])})"


def _problem_of(kernel: Kernel, op: Op) -> Problem | None:
    """Why core could not call the kernel, or its predicate; None if it can, or if the functions do not tell."""
    fn, when = kernel.fn, kernel.when
    inputs = None if type(fn) is FunctionType else getattr(fn, "nin", None)
    if isinstance(inputs, int):  # a NumPy or CuPy ufunc, whose signature cannot be read
        if inputs != len(op.operands) or op.variadic or not {"dtype"}.issuperset(op.attributes) or not kernel.checked:
            expected = f"{op.name}{kernel_signature(op, spec=not kernel.checked, out=kernel.out)}"
            got = f"{getattr(fn, '__name__', 'a ufunc')} of {inputs} operands, without other arguments"
            return "it is a ufunc", expected, got, "wrap it in a function"
    else:
        always = () if kernel.checked else ("spec",)
        why = _misfit(op, fn, op.attributes, always, ("out",) if kernel.out else ())
        if why:
            signature = f"{op.name}{kernel_signature(op, spec=not kernel.checked, out=kernel.out)}"
            return _problem(fn, f"it {why}", signature)
    if when is not None:
        why = _misfit(op, when, [name for name in op.attributes if name not in _RESOLVED], (), ())
        if why:
            why = f"its predicate {getattr(when, '__name__', 'in when=')} {why}"
            return _problem(when, why, f"predicate{kernel_signature(op, predicate=True)}")
    return None


def _problem(fn: Any, why: str, expected: str) -> Problem:
    got = f"{getattr(fn, '__name__', type(fn).__name__)}{inspect.signature(fn, follow_wrapped=False)}"
    return why, expected, got, "give it the expected parameters"


def _misfit(op: Op, fn: Any, attributes: Sequence[str], always: Sequence[str], sometimes: Sequence[str]) -> str:
    """Why core cannot call ``fn``; empty if it can, or if ``fn`` does not tell.

    Args:
        op: the op.
        fn: a kernel's function, or a predicate.
        attributes: the attributes that core may pass.
        always: other parameters that core passes to every call.
        sometimes: other parameters that core passes to some calls.
    """
    found = _parameters_of(fn)
    if found is None:
        return ""
    return _wrong_operands(op, found) or _wrong_names(op, found, attributes, always, sometimes)


def _wrong_operands(op: Op, found: _Parameters) -> str:
    """What is wrong with the parameters for the operands; empty if nothing is."""
    count = len(op.operands) - op.variadic
    if op.variadic and not found.any_position:
        return f"takes no *{op.operands[-1]}: {op.name} takes any number of operands"
    if len(found.positional) < count and not found.any_position:
        number = len(found.positional)
        return f"takes {number} operand{'s' * (number != 1)}, not {count}"
    for name in found.positional[:count]:
        if name in op.attributes:
            return f"takes the attribute {name} in the place of an operand"
    for name in found.positional[count:]:
        if name in found.bare and name not in found.by_name:
            return f"has a required parameter {name} after the operands"
    return ""


def _wrong_names(
    op: Op, found: _Parameters, attributes: Sequence[str], always: Sequence[str], sometimes: Sequence[str]
) -> str:
    """What is wrong with the parameters for attributes; empty if nothing is."""
    operands = found.positional[: len(op.operands) - op.variadic]
    names = [name for name in found.by_name if name not in operands]
    for name in (*attributes, *always, *sometimes):
        if name not in names and not found.any_name:
            return f"does not accept the attribute {name}" if name in op.attributes else f"does not accept {name}="
    for name in names:
        if name in always or (name in attributes and (name in _RESOLVED or name not in op.defaults)):
            continue
        if name in attributes or name in sometimes:
            if name in found.bare:
                return f"has no default for {name}, which core passes only if it was given"
            if name in op.defaults and not _same(found.defaults[name], op.defaults[name]):
                return f"has another default for {name} than {op.name}, whose default is {op.defaults[name]!r}"
        elif name in found.bare or name not in found.positional:
            return f"has a parameter {name}, which is not an attribute of {op.name}"
    return ""


def _same(a: Any, b: Any) -> bool:
    return a is b or bool(a == b)


# --- Order ---


def _rank(kernel: Kernel) -> tuple[int, int, int]:
    # Higher priority first; then kernels with a predicate, which serve fewer calls; then exact dtypes before kinds of
    # dtypes such as "floating".
    return (-kernel.priority, 0 if kernel.when is not None else 1, 0 if _exact(kernel) else 1)


def _exact(kernel: Kernel) -> bool:
    return all(part in dtypes.NAMES for entry in kernel.dtypes for part in _parts(entry))


def _parts(entry: str | tuple[str, ...]) -> tuple[str, ...]:
    return entry if isinstance(entry, tuple) else (entry,)


def in_order(kernels: Sequence[Kernel]) -> tuple[Kernel, ...]:
    """One op's kernels on one backend in the order in which they are tried: first those that POLYTAPE_KERNELS pins.

    Raises:
        RegistrationError: two of them are ambiguous, and neither or both are pinned.
    """
    if "POLYTAPE_KERNELS" not in os.environ:
        return _ordered(kernels)
    from . import pins

    pinned, others = pins.split(kernels)
    return (*_ordered(pinned), *_ordered(others))


def _ordered(kernels: Sequence[Kernel]) -> tuple[Kernel, ...]:
    ordered = sorted(kernels, key=_rank)
    for position, first in enumerate(ordered):
        for second in ordered[position + 1 :]:
            if _rank(first) == _rank(second) and _overlap(first, second):
                raise RegistrationError(
                    f"two kernels for {first.op} on {first.backend} are ambiguous.",
                    expected="different priorities, dtypes or device kinds, or a predicate on one of them",
                    got=f"{first!r} and {second!r}",
                    fix=f"give one a higher priority{_pin(first, second)}",
                )
    return tuple(ordered)


def _pin(first: Kernel, second: Kernel) -> str:
    """The advice to pin one of two ambiguous kernels, which is possible if they have different providers."""
    if normalise(first.provider) == normalise(second.provider):
        return ""
    return f", or pin one with POLYTAPE_KERNELS={first.op}@{first.backend}={first.provider}"


def _overlap(first: Kernel, second: Kernel) -> bool:
    if first.devices and second.devices and not set(first.devices) & set(second.devices):
        return False
    return any(_dtypes_overlap(a, b) for a in first.dtypes for b in second.dtypes)


def _dtypes_overlap(a: str | tuple[str, ...], b: str | tuple[str, ...]) -> bool:
    left, right = _parts(a), _parts(b)
    pairs = zip(left, right, strict=True) if len(left) == len(right) else [(x, y) for x in left for y in right]
    return all(dtypes.names_of(x) & dtypes.names_of(y) for x, y in pairs)
