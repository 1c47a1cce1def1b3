"""Control flow and devices: in eager mode Python's own, behind TensorFlow's functions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import polytape as pt
from polytape import Tensor

from ....errors import DTypeError
from ...mode import building
from ..convert import lookup, tensor
from ..graph import grouping
from ..graph.graphs import get_default_graph
from ..tables import switched

__all__ = [
    "Print",
    "case",
    "colocate_with",
    "cond",
    "container",
    "control_dependencies",
    "device",
    "group",
    "no_op",
    "no_regularizer",
    "py_func",
    "tuple",
    "while_loop",
]


def _place(name: str) -> str:
    """polytape's name of a device in one of TensorFlow's forms, such as ``/job:localhost/device:GPU:0``."""
    return name.rpartition("/")[2].lower().removeprefix("device:")


def device(device_name_or_function: Any) -> Any:
    """The scope in which new tensors are on a device: ``with tf.device("/gpu:0"): ...``.

    Args:
        device_name_or_function: a name in TensorFlow's or polytape's form, or None for no change.
    Raises:
        DTypeError: a function; only graphs can use one.
    """
    name = device_name_or_function
    if name is None or name == "":
        return contextlib.nullcontext()
    if callable(name) and not isinstance(name, str):
        raise DTypeError(
            "tf.device does not accept a function.",
            expected="a device's name",
            got=repr(name),
            fix='write tf.device("/gpu:0"); ops of a graph would choose their device by the function',
        )
    return pt.device(_place(str(name)))


def control_dependencies(control_inputs: Any) -> Any:
    """A scope whose operations run after ``control_inputs``; eager ops run in the order in which they are written."""
    if building():
        return get_default_graph().control_dependencies(control_inputs)
    for function in control_inputs or ():
        if callable(function) and not isinstance(function, Tensor):
            function()
    return contextlib.nullcontext()


def colocate_with(op: Any, ignore_existing: bool = False) -> Any:
    """A scope without effect: the device of an eager op is that of its operands."""
    return contextlib.nullcontext()


def container(container_name: str) -> Any:
    """A scope without effect: eager variables are Python objects and belong to no container."""
    return contextlib.nullcontext()


def no_op(name: str | None = None) -> Any:
    """Do nothing; in a graph, an operation that does nothing."""
    return grouping.no_op(name or "NoOp") if building() else None


def no_regularizer(_: Any) -> None:
    """A regularizer that adds nothing."""


def group(*inputs: Any, **kwargs: Any) -> Any:
    """An operation that runs all inputs; in eager mode nothing, because they have been computed.

    Raises:
        ValueError: an unknown keyword argument.
    """
    unknown = sorted(set(kwargs) - {"name"})
    if unknown:
        raise ValueError(f"Unknown keyword arguments: {', '.join(unknown)}")
    return grouping.group(*inputs, name=kwargs.get("name") or "group_deps") if building() else None


@switched("grouping")
def tuple(tensors: Sequence[Any], name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The tensors as a list; None stays None."""
    return list(tensors)


def branch_of(first: Any, second: Any, name: str) -> Callable[[], Any]:
    """The function of a branch of `cond`, given by its name or by its old name."""
    if first is not None and second is not None:
        raise TypeError(f"cond(): {name} and its deprecated alias may not be set simultaneously.")
    found: Any = second if first is None else first
    if found is None:
        raise TypeError(f"cond(): {name} argument required")
    if not callable(found):
        raise TypeError(f"{name} must be callable.")
    return found  # type: ignore[no-any-return]  # callable


@switched("branching")
def cond(
    pred: Any,
    true_fn: Any = None,
    false_fn: Any = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """``true_fn()`` if the condition holds, otherwise ``false_fn()``.

    Args:
        pred: a bool, or a tensor with one bool.
        true_fn, false_fn: functions without arguments; ``fn1`` and ``fn2`` are their old names.
        strict: whether to keep a list of one result a list.
    Raises:
        TypeError: a function is missing.
    """
    yes, no = branch_of(true_fn, fn1, "true_fn"), branch_of(false_fn, fn2, "false_fn")
    return _unpacked(yes() if bool(tensor(pred)) else no(), strict)


def _unpacked(result: Any, strict: bool) -> Any:
    single = isinstance(result, (list, type(()))) and len(result) == 1
    return result[0] if single and not strict else result


@switched("branching")
def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The result of the first function whose condition holds, or of ``default()``.

    Raises:
        TypeError: the pairs are not pairs of a condition and a function.
        InvalidArgumentError: no condition holds and there is no default; or several hold although ``exclusive``.
    """
    from ...op_errors import invalid

    pairs = pairs_of(pred_fn_pairs)
    chosen = [function for condition, function in pairs if bool(tensor(condition))]
    if exclusive and len(chosen) > 1:
        raise invalid("case: more than one condition evaluated as True but exclusive=True.")
    if not chosen and default is None:
        raise invalid("case: None of the conditions evaluated as True, and there is no default.")
    return _unpacked(chosen[0]() if chosen else default(), strict)


def pairs_of(pred_fn_pairs: Any) -> list[Any]:
    """The pairs of a condition and a function."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if not all(isinstance(pair, type(())) and len(pair) == 2 and callable(pair[1]) for pair in pairs):
        raise TypeError("Each entry in pred_fn_pairs must be a 2-tuple of a condition and a callable.")
    return pairs


@switched("loops")
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
) -> Any:
    """Call ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds, and return the last loop variables.

    Args:
        cond, body: functions of the loop variables.
        loop_vars: the variables at the beginning.
        maximum_iterations: the largest number of calls.
        shape_invariants, parallel_iterations, back_prop, swap_memory, name: have no effect in eager mode.
    Raises:
        TypeError: ``cond`` or ``body`` is not a function. ValueError: there are no loop variables.
    """
    check_loop(cond, body, loop_vars)
    limit = None if maximum_iterations is None else int(maximum_iterations)
    state, count = loop_vars, 0
    while (limit is None or count < limit) and bool(tensor(cond(*state))):
        state = body(*state)
        if not isinstance(state, (list, type(()))):
            state = [state]
        count += 1
    single = len(state) == 1
    return state[0] if single else state


def check_loop(cond: Any, body: Any, loop_vars: Any) -> None:
    """Raise unless these can make a loop."""
    for name, function in (("cond", cond), ("body", body)):
        if not callable(function):
            raise TypeError(f"{name} must be callable.")
    if not loop_vars:
        raise ValueError("No loop variables provided")


@switched("python_functions")
def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> list[Any]:
    """The results of ``func`` on NumPy arrays, as tensors without gradient.

    Args:
        func: takes and returns NumPy arrays.
        inp: tensors.
        Tout: the dtype of the result, or a list of dtypes of the results.
        stateful: has no effect in eager mode.
    """
    results = func(*[tensor(item).numpy() for item in inp])
    dtypes = list(Tout) if isinstance(Tout, (list, type(()))) else [Tout]
    listed = list(results) if isinstance(results, (list, type(()))) else [results]
    return [pt.asarray(result, lookup(dtype)) for result, dtype in zip(listed, dtypes, strict=True)]


@switched("python_functions")
def Print(
    input_: Any, data: Any, message: str | None = None, first_n: int | None = None, summarize: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """``input_`` unchanged; prints ``message`` and the first elements of ``data`` to the standard error stream."""
    count = 3 if summarize is None else summarize
    shown = []
    for item in data:
        values = pt.flatten(tensor(item)).tolist()
        more = "..." if len(values) > count else ""
        shown.append(f"[{' '.join(map(str, values[:count]))}{more}]")
    print((message or "") + "".join(shown), file=sys.stderr)
    return pt.identity(tensor(input_))
