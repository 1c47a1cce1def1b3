"""Functions applied along the first axis of tensors, and functions with a variable number of operands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import polytape as pt
from polytape import Tensor

from ....autodiff import functional as autodiff
from ...mode import building
from ...op_errors import invalid
from ..convert import divisible, lookup, same, tensor
from ..graph.recording import record
from ..tables import recorded, switched

__all__ = [
    "custom_gradient",
    "divide",
    "einsum",
    "foldl",
    "foldr",
    "leaves_of",
    "map_fn",
    "meshgrid",
    "rebuilt",
    "scan",
]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """As `polytape.custom_gradient`: ``f`` returns a result and a function of the result's gradient.

    In a graph, a call is one operation; both functions run when it does, on eager tensors.
    """
    call = autodiff.custom_gradient(f)
    name = getattr(f, "__name__", "IdentityN")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        if building():
            return record(lambda given: call(*given[0], **given[1]), [args, kwargs], "IdentityN", name)
        return call(*args, **kwargs)

    return function


def leaves_of(structure: Any) -> list[Any]:
    """The tensors of a nested structure of lists, tuples and dicts."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in leaves_of(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in leaves_of(item)]
    return [structure]


def rebuilt(structure: Any, leaves: Iterable[Any]) -> Any:
    """The structure with other leaves."""
    rest = iter(leaves)

    def build(part: Any) -> Any:
        if isinstance(part, dict):
            found = {key: build(part[key]) for key in sorted(part)}
            return type(part)((key, found[key]) for key in part)
        if isinstance(part, (list, tuple)):
            items = [build(item) for item in part]
            return type(part)(*items) if hasattr(part, "_fields") else type(part)(items)
        return next(rest)

    return build(structure)


def _rows(elems: Any, reverse: bool = False) -> list[Any]:
    """The structures of the slices along the first axis.

    Raises:
        InvalidArgumentError: a tensor without axes, or tensors of different lengths.
    """
    leaves = [tensor(leaf) for leaf in leaves_of(elems)]
    lengths = {leaf.shape[0] if leaf.ndim else None for leaf in leaves}
    if len(lengths) != 1 or None in lengths:
        raise invalid(
            "the elements do not have one length.",
            expected="tensors with a first axis of one size",
            got=", ".join(str(leaf.shape) for leaf in leaves),
            fix="give all elements the same first axis",
        )
    columns = [pt.unstack(leaf) for leaf in leaves]
    rows = [rebuilt(elems, row) for row in zip(*columns, strict=True)]
    return rows[::-1] if reverse else rows


def _stacked(results: list[Any], structure: Any) -> Any:
    columns = zip(*[[tensor(leaf) for leaf in leaves_of(result)] for result in results], strict=True)
    return rebuilt(structure, [pt.stack(list(column)) for column in columns])


def _same_structure(found: Any, wanted: Any) -> None:
    """Raise unless two nested structures have the same types (TypeError) and numbers of items (ValueError)."""
    if len(leaves_of(found)) != len(leaves_of(wanted)):
        raise ValueError(f"The two structures don't have the same number of elements: {found} and {wanted}")
    sequence = isinstance(wanted, (list, tuple))
    if sequence != isinstance(found, (list, tuple)) or (sequence and type(found) is not type(wanted)):
        raise TypeError(f"The two structures don't have the same sequence type: {type(found)} and {type(wanted)}")
    if sequence:
        for one, other in zip(found, wanted, strict=True):
            _same_structure(one, other)


def _checked(fn: Any) -> None:
    if not callable(fn):
        raise TypeError("fn must be callable.")


@switched("mapping")
def map_fn(
    fn: Callable[..., Any], elems: Any, dtype: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """The results of ``fn`` on each slice along the first axis, stacked.

    Args:
        fn: takes a slice of each tensor of ``elems``, in the same structure.
        elems: a tensor, or a nested structure of tensors with first axes of one size.
        dtype: the dtypes of the results; required where their structure is not that of ``elems``.
        parallel_iterations, back_prop, swap_memory, infer_shape, name: have no effect in eager mode.
    Raises:
        TypeError: ``fn`` is not a function. InvalidArgumentError: a result has another dtype.
    """
    _checked(fn)
    rows = _rows(elems)
    structure = elems if dtype is None else dtype
    if not rows:
        first = leaves_of(elems)[0]
        kinds = [tensor(first).dtype] if dtype is None else map(lookup, leaves_of(dtype))
        return rebuilt(structure, [pt.zeros((0,), dtype=kind) for kind in kinds])
    results = []
    for row in rows:
        result = fn(row)
        _same_structure(result, structure)
        leaves = [tensor(leaf) for leaf in leaves_of(result)]
        if dtype is not None:
            leaves = [tensor(leaf, kind) for leaf, kind in zip(leaves, map(lookup, leaves_of(dtype)), strict=True)]
        results.append(leaves)
    return _stacked(results, structure)


@switched("mapping")
def foldl(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """``fn(...fn(fn(initializer, elems[0]), elems[1])..., elems[-1])``; without initializer, the first slice is it."""
    return _folded(fn, _rows(elems), initializer)


@switched("mapping")
def foldr(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `foldl`, beginning with the last slice."""
    return _folded(fn, _rows(elems, reverse=True), initializer)


def _folded(fn: Any, rows: list[Any], initializer: Any) -> Any:
    _checked(fn)
    if initializer is None:
        state, rows = rows[0], rows[1:]
    else:
        state = rebuilt(initializer, [tensor(leaf) for leaf in leaves_of(initializer)])
    for row in rows:
        state = fn(state, row)
    return state


@switched("mapping")
def scan(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """All intermediate results of `foldl`, stacked."""
    _checked(fn)
    rows = _rows(elems)
    if initializer is None:
        state, rows, results = rows[0], rows[1:], [rows[0]]
    else:
        state, results = rebuilt(initializer, [tensor(leaf) for leaf in leaves_of(initializer)]), []
    first = state
    for row in rows:
        state = fn(state, row)
        _same_structure(state, first)
        results.append(state)
    return _stacked(results, first)


@recorded()
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products that an equation such as ``"ij,jk->ik"`` describes.

    Raises:
        TypeError: an unknown keyword argument. ValueError: the equation does not fit the operands.
    """
    unknown = sorted(set(kwargs) - {"name"})
    if unknown:
        raise TypeError(f"invalid keyword arguments for this function: {', '.join(unknown)}")
    return pt.einsum(equation, *same(*inputs))


@recorded()
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid: one tensor per operand, of the shape of the grid.

    Args:
        *args: tensors with one axis.
        **kwargs: ``indexing``, "xy" (the default: rows are the second operand's) or "ij"; ``name``.
    Raises:
        TypeError: an unknown keyword argument. ValueError: another value of ``indexing``.
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    return list(pt.meshgrid(*map(tensor, args), indexing=indexing))


@recorded()
def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """``x / y`` as Python divides: of two Python numbers a Python number, of integer tensors a floating one."""
    if isinstance(x, Tensor) or isinstance(y, Tensor):
        return pt.divide(*divisible(x, y))
    return x / y
