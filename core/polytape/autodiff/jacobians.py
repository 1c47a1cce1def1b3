"""Jacobians and Hessians: the backward pass, or forward mode, on a whole basis at once (`batching`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import DTypeError, SettingError
from ..tensors import prefixes, structure
from ..tensors.tensor import Tensor, describe
from ..tracebacks import shortened
from .arguments import Arguments, check_function, check_params, positions
from .matrices import batch_rows, columns, rows, zeros
from .tape import GradientTape
from .transforms import gradients_at

__all__ = ["batch_jacobian", "hessian", "jacobian"]

Params = int | str | Sequence[int | str] | None


def jacobian(
    f: Callable[..., Any],
    params: Params = 0,
    *,
    mode: str = "reverse",
    holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of ``f``: the derivative of each output by each input.

    The function runs once; one batched pass over its records computes all rows (or columns), not one pass per row.

    Args:
        f: takes tensors, or structures of them, as positional arguments and returns a structure of tensors.
        params: the argument to differentiate with respect to, as position or name; or a sequence of these, or None
            for all positional arguments.
        mode: ``"reverse"``, a row per output: for fewer outputs than inputs. ``"forward"``, a column per input.
        holomorphic: that a complex result is a holomorphic function of the complex arguments, so that one complex
            number is its derivative.
        chunk_size: how many rows or columns to compute at once, which limits memory; default: all.
    Returns:
        ``(*args) -> J``. For a tensor of shape ``s`` and an argument of shape ``t``, ``J`` has shape ``s + t``; for a
        structure, each tensor of the result is replaced by the structure of the argument (for a sequence of
        ``params``, by a list of these). Zeros where nothing is connected. The derivative of a real output by a
        complex input is dL/dRe + i dL/dIm, as for gradients.
    Raises:
        DTypeError: ``f`` is no function, or ``params`` does not name arguments; from the returned function: an argument
            or a result without derivative, or a complex result of a complex argument without ``holomorphic``.
    Source:
        A. Griewank, A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, chapters 3 and 7.

    Example:
        >>> import polytape as pt
        >>> pt.jacobian(lambda x: x * x)([1.0, 2.0]).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """
    _check("jacobian", f, params, mode)

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        try:
            arguments, (y, tape) = _recorded(f, params, args, kwargs)
            compute = columns if mode == "forward" else rows
            matrices = compute(tape, structure.leaves(y), arguments.sources, holomorphic, chunk_size)
            single = isinstance(params, (int, str))
            parts = [_of_arguments(arguments, row, single) for row in matrices]
            return structure.rebuild(y, parts)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return jacobian_of


def hessian(
    f: Callable[..., Any], params: Params = 0, *, mode: str = "reverse", chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that returns the Hessian of ``f``: the Jacobian of its gradient.

    Args:
        f: takes tensors, or structures of them, as positional arguments and returns a real tensor with one element.
        params, mode, chunk_size: as for `jacobian`, of the gradient.
    Returns:
        ``(*args) -> H``. For an argument of shape ``t``, ``H`` has shape ``t + t``; for a structure (or several
        ``params``), a structure of structures, so that ``H["a"]["b"]`` is the derivative of the gradient by ``a`` with
        respect to ``b``.
    Raises:
        ShapeError: from the returned function: a result of several elements. DTypeError: a complex argument.

    Example:
        >>> import polytape as pt
        >>> pt.hessian(lambda x: pt.prod(x))([2.0, 3.0]).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    _check("hessian", f, params, mode)

    def hessian_of(*args: Any, **kwargs: Any) -> Any:
        try:
            chosen = _chosen(f, params, len(args))
            single = isinstance(params, (int, str))

            def gradient(*values: Any) -> Any:
                filled = _filled(args, chosen, values)
                return gradients_at(lambda *xs: f(*_filled(filled, chosen, xs), **kwargs), values, "hessian")

            nested = jacobian(gradient, list(range(len(chosen))), mode=mode, chunk_size=chunk_size)
            matrices: Any = nested(*[args[position] for position in chosen])
            if not single:
                return list(matrices)
            (row,) = matrices
            return _first(row, args[chosen[0]])
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return hessian_of


def batch_jacobian(
    f: Callable[..., Any], params: int | str = 0, *, chunk_size: int | None = None
) -> Callable[..., Tensor]:
    """A function that returns the Jacobian of each example of a batch.

    Args:
        f: takes tensors as positional arguments and returns a tensor; element ``i`` along the first axis of the result
            must depend only on element ``i`` of the argument.
        params: the argument to differentiate with respect to, as position or name.
        chunk_size: how many rows to compute at once; default: all.
    Returns:
        ``(*args) -> J``: shape ``[n, *s, *t]`` for a result of shape ``[n, *s]`` and an argument of shape ``[n, *t]``.
    Raises:
        ShapeError: from the returned function: first axes that differ. DTypeError: a complex result.

    Example:
        >>> import polytape as pt
        >>> pt.batch_jacobian(lambda x: x * x)([[1.0, 2.0], [3.0, 4.0]]).tolist()
        [[[2.0, 0.0], [0.0, 4.0]], [[6.0, 0.0], [0.0, 8.0]]]
    """

    _check("batch_jacobian", f, params)

    def batch_jacobian_of(*args: Any, **kwargs: Any) -> Tensor:
        try:
            arguments, (y, tape) = _recorded(f, params, args, kwargs)
            source = arguments.sources[0]
            part = batch_rows(tape, y, source, chunk_size)
            return zeros(y, source, 1) if part is None else part
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return batch_jacobian_of


# --- functions --------------------------------------------------------------------------------------------------------


def _check(what: str, f: Any, params: Any, mode: str = "reverse") -> None:
    check_function(what, f)
    check_params(what, params)
    if mode not in ("reverse", "forward"):
        raise SettingError(
            f"mode={mode!r} is not valid.", expected="'reverse' or 'forward'", got=repr(mode), fix="use one of these"
        )


def _chosen(f: Callable[..., Any], params: Params, count: int) -> list[int]:
    if params is None:
        return list(range(count))
    return positions(f, [params] if isinstance(params, (int, str)) else list(params), count)


def _filled(args: Sequence[Any], chosen: list[int], values: Sequence[Any]) -> list[Any]:
    filled = list(args)
    for position, value in zip(chosen, values, strict=True):
        filled[position] = value
    return filled


def _recorded(
    f: Callable[..., Any], params: Params, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Arguments, tuple[Any, GradientTape]]:
    """The chosen arguments; the result of ``f``, and the tape that has recorded it."""
    chosen = _chosen(f, params, len(args))
    arguments = Arguments([args[position] for position in chosen])
    if params is not None:
        _check_differentiable(arguments)
    tape = GradientTape(persistent=True, watch_accessed_variables=False)
    with tape:
        handles = tape.watch_arguments(arguments.sources)
        y = f(*_filled(args, chosen, arguments.filled(handles)), **kwargs)
    return arguments, (y, tape)


def _check_differentiable(arguments: Arguments) -> None:
    """Raise DTypeError if an argument that was chosen has no differentiable part."""
    for x in arguments.args:
        if not Arguments([x]).sources:
            raise DTypeError(
                f"there is no derivative with respect to {describe(x)}.",
                expected="an argument with tensors of a floating dtype",
                got=describe(x),
                fix="cast it with polytape.astype(x, 'float32'), or choose another argument with params",
            )


def _of_arguments(arguments: Arguments, row: list[Any], single: bool) -> Any:
    parts = arguments.like(row)
    return parts[0] if single else list(parts)


def _first(row: Any, argument: Any) -> Any:
    """The Hessian for a single argument: without the lists around the only argument."""
    unpacked = Arguments([argument])
    leaves = structure.leaves(row)
    if len(unpacked.leaves) == 1 and len(leaves) == 1:
        return leaves[0]
    return structure.rebuild(unpacked.args[0], [part[0] for part in _parts(row, unpacked)])


def _parts(row: Any, unpacked: Arguments) -> list[Any]:
    found = prefixes.matched(unpacked.args[0], row)
    assert found is not None
    return found
