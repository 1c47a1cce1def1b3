"""Finding the first op whose result is NaN or infinite."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from typing import Any, Final

from ..autodiff.indexed_slices import IndexedSlices
from ..errors import DTypeError, NumericsError, SettingError, TraceError
from ..tensors import structure
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable
from . import values
from .calls import Call
from .lines import LineRecorder
from .watching import Watching

__all__ = ["check_always", "check_numerics"]


_INFINITE: Final = (math.inf, -math.inf)


class _Passed:
    """An array with NaN or infinity that was let through.

    Attributes:
        reference: to the array.
        text: says where NaN or infinity came from first.
        meant: whether the program wrote it as a number.
    """

    __slots__ = ("meant", "reference", "text")

    def __init__(self, reference: weakref.ref[Any], text: str, meant: bool) -> None:
        self.reference = reference
        self.text = text
        self.meant = meant


class _Checker(LineRecorder):
    """Raises an error for the first result that is NaN or infinite.

    Args:
        nan, inf: what is looked for.
        ignore: names of ops whose results may be either.
    """

    keeps_arrays = True

    def __init__(self, nan: bool, inf: bool, ignore: frozenset[str]) -> None:
        super().__init__()
        self.nan: Final = nan
        self.inf: Final = inf
        self.ignore: Final = ignore
        # By id: the arrays with NaN or infinity that were let through.
        self.passed: Final[dict[int, _Passed]] = {}
        # By id of the outermost call: the first op in its body whose result is NaN or infinite.
        self.inner: Final[dict[int, str]] = {}

    def after(self, call: Call) -> None:
        """Check the results of a call."""
        super().after(call)
        if call.error is not None:
            self.inner.pop(id(call), None)
            return
        bad = [x for x in call.outputs if values.has(x, nan=True, inf=True)]
        if call.parent is not None:
            # The body of an op may compute infinities that its result does not have, such as log(0) * 0 that `where`
            # replaces. Only what the outermost op returns counts.
            outermost = call.parent
            while outermost.parent is not None:
                outermost = outermost.parent
            if bad:
                text = f"in its body, {call.op} returned {values.what_is_in(bad[0])} first"
                self.inner.setdefault(id(outermost), text)
            return
        inner = self.inner.pop(id(call), "")
        if not bad:
            return
        known = next((entry.text for entry in map(self._passed, call.arrays) if entry is not None), "")
        wanted = [x for x in bad if values.has(x, self.nan, self.inf)]
        meant = self._is_meant(call, wanted)
        if not wanted or meant or call.op in self.ignore:
            for x in bad:
                self._let_through(x, known or f"{call.op}{_at(call)} returned {values.what_is_in(x)}", meant)
            return
        raise _problem(call, wanted[0], known, inner)

    def _let_through(self, x: Tensor, text: str, meant: bool) -> None:
        key, passed = id(x.array), self.passed
        try:
            reference = weakref.ref(x.array, lambda _: passed.pop(key, None))
        except TypeError:
            return  # a backend's arrays need not support weak references
        passed[key] = _Passed(reference, text, meant)

    def _passed(self, array: Any) -> _Passed | None:
        entry = self.passed.get(id(array))
        return entry if entry is not None and entry.reference() is array else None

    def _is_meant(self, call: Call, results: list[Tensor]) -> bool:
        """Whether a number that the program wrote explains the results, such as the value of `full`, or infinity in a
        mask and what follows from it; NaN that follows from infinity is not meant.

        Infinite numbers that are operands are cached by their tensor type, which distinguishes them from results.
        """
        numbers = [x for x in call.attributes.values() if isinstance(x, float)]
        computed = []
        for x in call.inputs:
            if x is not None:
                entry = self._passed(x.array)
                if (entry is not None and entry.meant) or any(x.type.floats.get(y) is x.array for y in _INFINITE):
                    numbers.append(math.inf)
                else:
                    computed.append(x)
        nan, inf = any(map(math.isnan, numbers)), any(map(math.isinf, numbers))
        if not (nan or inf) or any(values.has(x, not nan, not inf) for x in results):
            return False
        return not any(values.has(x, nan=True, inf=True) for x in computed)


def _at(call: Call) -> str:
    return "" if call.location is None else f" at {call.location}"


def _problem(call: Call, x: Tensor, known: str, inner: str) -> NumericsError:
    found = values.what_is_in(x)
    operands, spoiled = [], []
    for position, operand in enumerate(call.inputs):
        if operand is not None:
            name = call.watched.op.operand_name(position)
            operands.append(f"{name}: {values.contents(operand)}")
            if values.has(operand, nan=True, inf=True):
                spoiled.append(name)
    got = [f"{found} in {values.summary(x)}"]
    if spoiled:
        origin = known or "from data, or from an op before the check began or outside it"
        got.append(f"{' and '.join(dict.fromkeys(spoiled))} had {found_in(call, spoiled)} already: {origin}")
    if inner and not spoiled:
        got.append(inner)
    got += operands
    error = NumericsError(
        f"{call.op}{_at(call)} on {call.device} returned {found}.",
        expected="finite numbers",
        got="; ".join(got),
        fix="look for the cause in the operands above; if it is meant, pass "
        f"debug.check_numerics(ignore=[{call.op!r}]), inf=False or nan=False",
    )
    error.op, error.device = call.op, str(call.device)
    if call.location is not None:
        error.file, error.line = call.location.file, call.location.line
    return error


def found_in(call: Call, names: list[str]) -> str:
    """What the operands of these names contain that is not finite."""
    op = call.watched.op
    named = [x for position, x in enumerate(call.inputs) if x is not None and op.operand_name(position) in names]
    words = dict.fromkeys(values.what_is_in(x) for x in named if values.has(x, nan=True, inf=True))
    return ", ".join(words)


def check_always(setting: str) -> None:
    """Check every op of the process from now on, under POLYTAPE_CHECK_NUMERICS.

    Args:
        setting: ``1``, ``nan`` or ``inf``.
    """
    _checking(setting != "inf", setting != "nan", (), all_threads=True).__enter__()


def _checking(nan: bool, inf: bool, ignore: Iterable[str], all_threads: bool) -> Watching:
    if not (nan or inf):
        raise SettingError(
            "debug.check_numerics has nothing to look for.",
            expected="nan=True, inf=True, or both",
            got="nan=False, inf=False",
            fix="pass one of the two, or leave out the check",
        )
    names = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    return Watching(_Checker(bool(nan), bool(inf), frozenset(names)), all_threads)


def check_numerics(
    target: Any = None,
    *,
    nan: bool = True,
    inf: bool = True,
    ignore: Iterable[str] = (),
    name: str = "",
    all_threads: bool = False,
) -> Any:
    """Raise an error at the first NaN or infinity.

    Without ``target``, a context manager and a decorator: the result of each op inside is checked, in eager code, in
    backward passes, in optimizers and in the graphs of traced functions. With a function, that function, checked. With
    tensors, they are checked now and returned. ``POLYTAPE_CHECK_NUMERICS=1`` checks a whole process.

    The error names the op, the user's line, the device, and the operands with their ranges; an operand that was not
    finite already, and where that came from; for a backward pass, the forward line. Results inside an op's body are not
    checked. An infinity that the program writes as a number, such as ``pt.where(mask, x, -inf)``, is meant, and so is
    infinity that follows from it, but not NaN. Each check waits for the result, also on an asynchronous device. Put it
    around a loop, not into one: entering and leaving traces each function again.

    Args:
        target: None, a function, or a tensor or structure of tensors; None in a structure is skipped.
        nan, inf: what to look for.
        ignore: names of ops whose results may be NaN or infinite, such as ``["log"]``.
        name: what the error calls ``target``.
        all_threads: whether ops of all threads are checked, or those of the thread or task that enters.
    Raises:
        NumericsError: a result is not finite. It is a FloatingPointError too.
        TraceError: tensors are passed inside a traced function. DTypeError: ``target`` contains something else.

    Example:
        >>> import polytape as pt
        >>> with pt.debug.check_numerics():
        ...     try:
        ...         pt.asarray([1.0, float("nan")]) + 1.0
        ...     except FloatingPointError as error:
        ...         print(error.op)
        add
    """
    if target is None:
        return _checking(nan, inf, ignore, all_threads)
    if callable(target) and not isinstance(target, Tensor):
        return _checking(nan, inf, ignore, all_threads)(target)
    for position, leaf in enumerate(structure.leaves(target)):
        if leaf is not None:
            _check_leaf(leaf, nan, inf, name or "the structure", position)
    return target


def _check_leaf(leaf: Any, nan: bool, inf: bool, name: str, position: int) -> None:
    if isinstance(leaf, IndexedSlices):
        leaf = leaf.values
    if not isinstance(leaf, Tensor):
        raise DTypeError(
            f"debug.check_numerics cannot check {describe(leaf)}.",
            expected="a tensor, a structure of tensors, a function, or no argument",
            got=type(leaf).__name__,
            fix="pass tensors, or use it as a context manager: with polytape.debug.check_numerics(): ...",
        )
    x = leaf.read_value() if isinstance(leaf, Variable) else leaf
    if isinstance(x.array, Symbol):
        raise TraceError(
            f"debug.check_numerics cannot check {name} inside a traced function.",
            expected="tensors with values",
            got="a symbol, whose value is known when the graph runs",
            fix="call the function inside with polytape.debug.check_numerics(): ..., which checks each of its ops",
        )
    plain: Tensor = Tensor(x.array, x.type, None)
    if values.has(plain, nan, inf):
        label = f", {leaf.name!r}" if isinstance(leaf, Variable) and leaf.name else ""
        raise NumericsError(
            f"{name} has {values.what_is_in(plain)} in tensor {position}{label}.",
            expected="finite numbers",
            got=f"{values.summary(plain)}; {values.contents(plain)} on {x.device}",
            fix="use with polytape.debug.check_numerics(): ... around the code that computes it, to find the op",
        )
