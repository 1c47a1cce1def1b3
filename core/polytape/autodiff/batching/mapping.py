"""`polytape.vmap`: a function of one element becomes a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import DTypeError, SettingError, ShapeError
from ...tensors import prefixes, structure
from ...tensors.tensor import Tensor, describe, operators
from ...tracebacks import shortened
from ..arguments import check_function, data
from .interpreter import Batching
from .movement import from_front, to_front

__all__ = ["batched", "vmap"]


def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that runs ``f`` on every element of a batch, in one pass over the whole batch.

    ``f`` runs once, on tensors that have the shape of one element; each op that it calls computes all elements at
    once. It may open tapes, call traced functions, and be mapped again. What needs the value of one element, such as
    an ``if`` on a tensor, ``float(x)``, or a result whose shape depends on the data, is an error.

    Args:
        f: takes tensors, or structures of them, as positional arguments and returns a structure of tensors. Tensors
            and variables that it uses otherwise are the same for all elements.
        in_axes: the axis of the batch in each argument: an int, or None for an argument that is the same for all
            elements; for several arguments a tuple with an item for each, which may be a structure that the
            argument's structure begins with. Keyword arguments are passed on as they are.
        out_axes: where the axis of the batch is in the results, in the same way; None for a result that is the same
            for all elements.
        randomness: what a random draw in ``f`` gives: ``"different"`` numbers for each element, from consecutive
            ranges of the generator's counter; the ``"same"`` numbers for all; or an ``"error"``.
        chunk_size: how many elements to compute at once; default: all.
    Returns:
        ``(*args, **kwargs) -> result``; a result that is the same for all elements is repeated.
    Raises:
        ShapeError: from the returned function: batches of different sizes, or none. TraceError: ``f`` reads a value.
        SettingError: ``randomness`` or ``chunk_size`` is not valid. DTypeError: ``f`` is no function.
    Source:
        J. Bradbury et al. (2018), JAX, ``jax.vmap``; for ``randomness`` and ``chunk_size``, PyTorch, ``torch.vmap``.

    Example:
        >>> import polytape as pt
        >>> pt.vmap(lambda x, y: pt.sum(x * y))(pt.ones((3, 2)), pt.ones((3, 2))).tolist()
        [2.0, 2.0, 2.0]
    """
    check_function("vmap", f)
    _check_randomness(randomness)
    _check_chunk_size(chunk_size)

    @functools.wraps(f, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return _Mapping(f, in_axes, out_axes, randomness).run(args, kwargs, chunk_size)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return mapped


def batched(f: Callable[[Tensor], list[Tensor | None]], batch: Tensor, chunk_size: int | None) -> list[Tensor | None]:
    """``f`` on each row of ``batch``, with the same random numbers in each; its results stacked along the first axis.

    None among the results stays None.

    Raises:
        SettingError: ``chunk_size`` is not valid.
    """
    _check_chunk_size(chunk_size)
    result: list[Tensor | None] = _Mapping(f, 0, 0, "same").run((batch,), {}, chunk_size)
    return result


def _check_randomness(randomness: str) -> None:
    if randomness not in ("error", "same", "different"):
        raise SettingError(
            f"randomness={randomness!r} is not valid.",
            expected="'error', 'same' or 'different'",
            got=repr(randomness),
            fix="use one of these values",
        )


def _check_chunk_size(chunk_size: Any) -> None:
    if chunk_size is not None and (not isinstance(chunk_size, int) or isinstance(chunk_size, bool) or chunk_size < 1):
        raise SettingError(
            f"chunk_size={chunk_size!r} is not valid.",
            expected="a positive int, or None",
            got=repr(chunk_size),
            fix="pass the number of elements to compute at once",
        )


class _Mapping:
    """One call of a mapped function."""

    def __init__(self, f: Callable[..., Any], in_axes: Any, out_axes: Any, randomness: str) -> None:
        self.f = f
        self.in_axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        self.out_axes = out_axes
        self.randomness = randomness

    def run(self, args: Sequence[Any], kwargs: dict[str, Any], chunk_size: int | None) -> Any:
        """The results for the whole batch."""
        arguments = tuple([data(x) for x in args])
        leaves = [_as_tensor(x) for x in structure.leaves(arguments)]
        axes = _axes("in_axes", self.in_axes, arguments, leaves)
        size = _size(leaves, axes)
        if chunk_size is None or chunk_size >= size:
            return self.at_once(arguments, leaves, axes, size, kwargs)[0]
        pieces = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            part = [x if n is None else _part(x, n, start, stop) for x, n in zip(leaves, axes, strict=True)]
            pieces.append(self.at_once(arguments, part, axes, stop - start, kwargs))
        whole, out_axes = pieces[0]
        columns = zip(*[structure.leaves(piece) for piece, _ in pieces], strict=True)
        joined = [
            x[0] if n is None else operators.concat(list(x), axis=n) for x, n in zip(columns, out_axes, strict=True)
        ]
        return structure.rebuild(whole, joined)

    def at_once(
        self, arguments: Any, leaves: list[Any], axes: list[int | None], size: int, kwargs: dict[str, Any]
    ) -> tuple[Any, list[int | None]]:
        """The results of ``size`` elements, and the axis of the batch in each."""
        fronts = [x if n is None else to_front(x, n) for x, n in zip(leaves, axes, strict=True)]
        trace = Batching(size, self.randomness)
        with trace:
            elements = [x if n is None else trace.element(x) for x, n in zip(fronts, axes, strict=True)]
            result = self.f(*structure.rebuild(arguments, elements), **kwargs)
            outputs = [None if x is None else _result(trace, x) for x in structure.leaves(result)]
        out_axes = _prefix("out_axes", self.out_axes, result)
        placed = [
            (None, None) if x is None else _placed(x, whether, n, size)
            for (x, whether), n in zip([y or (None, False) for y in outputs], out_axes, strict=True)
        ]
        return structure.rebuild(result, [x for x, _ in placed]), [n for _, n in placed]


def _as_tensor(x: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic, int, float, complex)) and not isinstance(x, (Tensor, bool)):
        return operators.asarray(x)
    return x


def _part(x: Any, axis: int, start: int, stop: int) -> Tensor:
    result: Tensor = x[(slice(None),) * axis + (slice(start, stop),)]
    return result


def _prefix(what: str, axes: Any, full: Any) -> list[Any]:
    """The axis for each leaf of ``full``, which begins with the structure of ``axes``."""
    spread = prefixes.spread(axes, full)
    if spread is None:
        raise ShapeError(
            f"vmap: {what}={axes!r} does not fit.",
            expected="an int, None, or a structure that the arguments' (or the result's) structure begins with",
            got=describe(full),
            fix="give one axis per argument or result, or one for all",
        )
    return spread


def _axes(what: str, axes: Any, arguments: Any, leaves: list[Any]) -> list[int | None]:
    """The axis of the batch in each leaf, from 0; None for a leaf that is the same for all elements."""
    result: list[int | None] = []
    for x, axis in zip(leaves, _prefix(what, axes, arguments), strict=True):
        if axis is None or not isinstance(x, Tensor):
            result.append(None)
            continue
        if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
            raise ShapeError(
                f"vmap cannot map {describe(x)} along axis {axis!r}.",
                expected=f"an axis from {-x.ndim} to {x.ndim - 1}" if x.ndim else "None: the tensor has no axes",
                got=repr(axis),
                fix=f"set it in {what}; None if the argument is the same for all elements",
            )
        result.append(axis % x.ndim)
    return result


def _size(leaves: list[Any], axes: list[int | None]) -> int:
    """The number of elements, which all mapped tensors have in common."""
    sizes = [x.shape[n] for x, n in zip(leaves, axes, strict=True) if n is not None]
    if not sizes or len(set(sizes)) != 1:
        texts = [f"{describe(x)} along axis {n}" for x, n in zip(leaves, axes, strict=True) if n is not None]
        raise ShapeError(
            "vmap needs one size of batch.",
            expected="at least one mapped tensor, and the same size along the mapped axis of all",
            got=", ".join(texts) or "no mapped tensor",
            fix="set in_axes to None for arguments that are the same for all elements",
        )
    size: int = sizes[0]
    return size


def _result(trace: Batching, x: Any) -> tuple[Tensor, bool]:
    """A result of the function: the tensor of all elements, or one that is the same for all; whether it is the first.

    Raises:
        DTypeError: it is no tensor.
    """
    if isinstance(x, (bool, int, float, complex, np.ndarray, np.generic)) and not isinstance(x, Tensor):
        x = operators.asarray(x)
    if not isinstance(x, Tensor):
        raise DTypeError(
            f"vmap: the function returned {describe(x)}.",
            expected="tensors, or structures of them",
            got=type(x).__name__,
            fix="return tensors only",
        )
    return trace.value(trace.read(x))


def _placed(x: Any, whether: bool, axis: Any, size: int) -> tuple[Any, int | None]:
    """A result with the axis of the batch in its place, and that axis."""
    if axis is None:
        if whether:
            raise ShapeError(
                "vmap: out_axes is None for a result that differs from element to element.",
                expected="an axis for the batch",
                got=f"None for {describe(x)}",
                fix="set out_axes to an int for that result",
            )
        return x, None
    full = x if whether else operators.broadcast_to(x, (size, *x.shape))
    if not isinstance(axis, int) or not -full.ndim <= axis < full.ndim:
        raise ShapeError(
            f"vmap: a result has no place for the batch at axis {axis!r}.",
            expected=f"an axis from {-full.ndim} to {full.ndim - 1}",
            got=repr(axis),
            fix="correct out_axes",
        )
    return from_front(full, axis % full.ndim), axis % full.ndim
