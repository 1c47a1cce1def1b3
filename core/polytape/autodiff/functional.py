"""Gradients of functions: gradients_function and its relatives, and functions with custom gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..errors import DTypeError, TapeError
from ..registry.gradient_rule import G, GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..tensors import structure
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable
from ..tracebacks import shortened
from .arguments import independent, positions as argument_positions
from .backward import hooks
from .cotangent import expanded
from .gradient_plan import plan_of
from .record import follow, record, record_several, wrap
from .several import Several
from .tape import GradientTape

__all__ = [
    "custom_gradient",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "value_and_gradients_function",
]


def gradients_function(f: Callable[..., Any], params: Sequence[int | str] | None = None) -> Callable[..., list[Any]]:
    """A function that returns the gradients of ``f`` with respect to its arguments.

    Args:
        f: takes tensors, or values that `polytape.asarray` converts, as positional arguments; returns a tensor. Each
            argument is an independent tensor: for a variable, its current value.
        params: the arguments to differentiate with respect to, as positions or names; by default all positional ones.
    Returns:
        ``(*args) -> [gradient, ...]``, with None for an argument that the result does not depend on.
    Raises:
        DTypeError: from the returned function: an argument or the result cannot be differentiated.

    Example:
        >>> import polytape as pt
        >>> square = lambda x: x * x
        >>> [float(g) for g in pt.gradients_function(square)(3.0)]
        [6.0]
    """
    both = value_and_gradients_function(f, params)

    def gradients(*args: Any, **kwargs: Any) -> list[Any]:
        try:
            result: list[Any] = both(*args, **kwargs)[1]
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error
        return result

    return gradients


def value_and_gradients_function(
    f: Callable[..., Any], params: Sequence[int | str] | None = None
) -> Callable[..., tuple[Any, list[Any]]]:
    """As `gradients_function`, but the function returns ``(value, [gradient, ...])``."""
    selected = None if params is None else list(params)

    def value_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        try:
            positions = list(range(len(args))) if selected is None else argument_positions(f, selected, len(args))
            arguments = list(args)
            inputs = {position: _argument(f, position, args[position]) for position in positions}
            with GradientTape(watch_accessed_variables=False) as tape:
                for position, handle in zip(inputs, tape.watch_arguments(list(inputs.values())), strict=True):
                    arguments[position] = handle
                value = f(*arguments, **kwargs)
            _check_value(f, value)
            return value, tape.gradient(value, [inputs[position] for position in positions])
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return value_and_gradients


def _argument(f: Callable[..., Any], position: int, x: Any) -> Any:
    try:
        return independent(x)
    except DTypeError as error:
        if not isinstance(x, (dict, list, tuple)):
            raise
        raise DTypeError(
            f"argument {position} of {getattr(f, '__name__', 'the function')} is a structure, which is no tensor.",
            expected="a tensor, or what polytape.asarray converts",
            got=f"a {type(x).__name__} of {len(x)}",
            fix="pass its tensors as arguments of their own; or use a polytape.GradientTape: tape.watch(x) for each, "
            "then tape.gradient(y, structure)",
        ) from error


def _check_value(f: Callable[..., Any], value: Any) -> None:
    if value is None:
        raise DTypeError(
            f"{getattr(f, '__name__', 'the function')} returned None, which has no gradient.",
            expected="a tensor, or a structure of tensors",
            got="None",
            fix="return the loss from the function",
        )


def implicit_gradients(f: Callable[..., Any], *, sparse: bool = False) -> Callable[..., list[tuple[Any, Variable]]]:
    """A function that returns the gradients of ``f`` with respect to the trainable variables that it uses.

    Args:
        f: returns a tensor.
        sparse: return a `polytape.IndexedSlices` for each variable that only `take`, on its first axis, uses.
    Returns:
        ``(*args) -> [(gradient, variable), ...]``, the argument of an optimizer's ``apply_gradients``.
    Raises:
        TapeError: from the returned function: ``f`` used no trainable variable.
    """
    both = implicit_value_and_gradients(f, sparse=sparse)

    def gradients(*args: Any, **kwargs: Any) -> list[tuple[Any, Variable]]:
        try:
            result: list[tuple[Any, Variable]] = both(*args, **kwargs)[1]
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error
        return result

    return gradients


def implicit_value_and_gradients(
    f: Callable[..., Any], *, sparse: bool = False
) -> Callable[..., tuple[Any, list[tuple[Any, Variable]]]]:
    """As `implicit_gradients`, but the function returns ``(value, [(gradient, variable), ...])``."""

    def value_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, list[tuple[Any, Variable]]]:
        try:
            with GradientTape() as tape:
                value = f(*args, **kwargs)
            _check_value(f, value)
            variables = _used_variables(f, tape)
            return value, list(zip(tape.gradient(value, variables, sparse=sparse), variables, strict=True))
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return value_and_gradients


def _used_variables(f: Callable[..., Any], tape: GradientTape) -> list[Variable]:
    variables = list(tape.watched_variables())
    if not variables:
        raise TapeError(
            f"{getattr(f, '__name__', 'the function')} used no trainable variable.",
            expected="a function that uses polytape.Variable objects",
            got="none",
            fix="use gradients_function for gradients with respect to arguments",
        )
    return variables


# --- custom gradients -----------------------------------------------------------------------------------------------


def _no_rule(*operands: Any) -> Any:
    return operands


def _custom_body(*args: Any) -> Any:
    """The body of the op that `custom_gradient` records for a function; never called."""
    return args


class HandRule:
    """A custom gradient as a gradient rule: passes zeros for unused results, and checks the returned gradients."""

    __slots__ = ("grad", "inputs", "name", "shapes", "types")

    def __init__(self, name: str, grad: Any, inputs: list[Any], tensor_types: list[Any], shapes: list[Any]) -> None:
        self.name: Final[str] = name
        self.grad: Final[Any] = grad
        self.inputs: Final[list[Any]] = inputs  # per argument its tensor type and shape
        self.types: Final[list[Any]] = tensor_types
        self.shapes: Final[list[Any]] = shapes

    def __call__(self, g: Any) -> Any:
        parts = list(g.parts) if isinstance(g, Several) else [g]
        full = [
            expanded(Tensor(tensor_type.scalar(0.0), tensor_type, None) if part is None else part, shape)
            for part, tensor_type, shape in zip(parts, self.types, self.shapes, strict=True)
        ]
        returned = self.grad(*full)
        results = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        if len(results) != len(self.inputs):
            raise TapeError(
                f"the gradient of {self.name} returned {len(results)} results.",
                expected=f"{len(self.inputs)}, one per argument that is a tensor, an array or a number",
                got=str(len(results)),
                fix="return one gradient (or None) per such argument; other arguments have none",
            )
        checked = [self.checked(position, result) for position, result in enumerate(results)]
        return tuple(checked) if len(checked) > 1 else checked[0]

    def checked(self, position: int, result: Any) -> Any:
        """One gradient as a tensor of its argument's shape, or of shape () if it is the same for all elements."""
        if result is None:
            return None
        tensor_type, shape = self.inputs[position]
        if isinstance(result, (bool, int, float)):
            return Tensor(tensor_type.make_scalar(float(result)), tensor_type, None)
        if not isinstance(result, Tensor) or result.array.shape not in (shape, ()):
            raise TapeError(
                f"the gradient of {self.name} for argument {position} is {describe(result)}.",
                expected=f"a tensor of shape {shape}, a number or None",
                got=describe(result),
                fix="return a gradient that has the shape of the argument",
            )
        return result


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns ``(result, grad)`` so that ``grad`` computes its gradient.

    Args:
        f: ``(*args, **options) -> (y, grad)``, where ``y`` is a tensor or a list or tuple of tensors, and ``grad``
            takes the gradient of each and returns one gradient per positional argument that is a tensor, an array, a
            number or a list of numbers; ``f`` gets these as tensors. Any other argument, such as the ``self`` of a
            method, a bool or a string, is passed on and has no gradient. If ``grad`` is made of ops, it can itself be
            differentiated.
    Returns:
        ``(*args, **options) -> y``.
    Raises:
        TapeError: from the returned function: ``f`` uses a trainable variable that is not an argument (its gradient
            would be lost), or does not return a pair.

    Example:
        >>> import polytape as pt
        >>> @pt.custom_gradient
        ... def log1pexp(x):
        ...     e = pt.exp(x)
        ...     return pt.log1p(e), lambda g: g * (1 - 1 / (1 + e))
        >>> float(pt.gradients_function(log1pexp)(50.0)[0])
        1.0
    """
    name = getattr(f, "__name__", "custom_gradient")

    @functools.wraps(f)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            arguments = [_operand(x) for x in args]
            inputs = [x for x in arguments if isinstance(x, Tensor)]
            with GradientTape() as watcher:
                returned = f(*[_handle(x) for x in arguments], **options)
            _check_pair(name, returned, inputs, watcher)
            y, grad = returned
            return _with_gradient(name, inputs, y, grad)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return wrapped


def _operand(x: Any) -> Any:
    """A positional argument as a tensor, if it is numeric; otherwise unchanged."""
    if isinstance(x, (list, tuple)):
        try:
            return operators.asarray(x)
        except DTypeError:  # a list of other things than numbers
            return x
    numeric = isinstance(x, (int, float, complex, np.ndarray, np.generic)) or hasattr(x, "__array__")
    return operators.asarray(x) if numeric and not isinstance(x, (bool, Tensor)) else x


def _handle(x: Any) -> Any:
    """Another handle on a tensor: item assignment in the function must not change the one that is recorded."""
    return Tensor(x.array, x.type, x.node) if type(x) is Tensor else x


def _check_pair(name: str, returned: Any, inputs: list[Tensor], watcher: GradientTape) -> None:
    if not isinstance(returned, tuple) or len(returned) != 2 or not callable(returned[1]):
        raise TapeError(
            f"{name} did not return (result, gradient function).",
            expected="a pair of a tensor and a function",
            got=describe(returned),
            fix="return y, grad",
        )
    for variable in watcher.watched_variables():
        if not any([variable is x for x in inputs]):
            raise TapeError(
                f"{name} uses the variable {variable.name or describe(variable)}, which is not one of its arguments.",
                expected="every trainable variable that it uses among its positional arguments",
                got=describe(variable),
                fix="pass the variable as an argument, and return its gradient too",
            )


def _with_gradient(name: str, inputs: list[Tensor], y: Any, grad: Any) -> Any:
    outputs = structure.leaves(y)
    scope = current_scope.get()
    if scope.trace is not None:
        outputs = [scope.trace.read(output) for output in outputs]
        around = getattr(scope.trace, "with_gradient", None)
        if around is not None:  # tapes around polytape.vmap need the gradient too
            outputs = around(lambda xs, ys, rule: _with_gradient(name, xs, ys, rule), inputs, outputs, grad)
    tapes, watched = follow(inputs, scope)
    # Return new handles: the gradient function may hold the original ones, which would create a reference cycle.
    if not watched:
        return structure.rebuild(y, [wrap(output.array, output.type, None) for output in outputs])
    several = not isinstance(y, Tensor)
    tensor_types = [output.type for output in outputs]
    shapes = [output.array.shape for output in outputs]
    op = _hand_op(name, len(inputs), several)
    rule = HandRule(name, grad, [(x.type, x.array.shape) for x in inputs], tensor_types, shapes)
    op.rules.append(GradientRule(rule, tuple(range(len(inputs))), (G,), ()))
    resolution = Resolution(None, None, tuple([x.type for x in inputs]), tuple(tensor_types), (), "kernel")
    nodes = tuple([x.node if watched >> position & 1 else None for position, x in enumerate(inputs)])
    plan = plan_of(op, len(inputs), watched)
    arrays = tuple([x.array for x in inputs])
    results = [output.array for output in outputs]
    if hooks.before_record is not None:
        hooks.before_record(op, arrays)
    if several:
        return structure.rebuild(y, record_several(op, resolution, plan, tapes, nodes, arrays, None, results))
    return Tensor(results[0], tensor_types[0], record(op, resolution, plan, tapes, nodes, arrays, None, results[0]))


def _hand_op(name: str, count: int, several: bool) -> Op:
    operands = tuple([f"x{position}" for position in range(count)])
    op = Op(name, _custom_body, operands, operands, count)
    op.dtype_rule = op.shape_rule = _no_rule
    op.outputs = Several if several else None
    return op
