"""Differentiation of functions: gradients_function and its kin, and gradients written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..dtypes import FLOATING, float32
from ..errors import DTypeError, TapeError
from ..registry.gradient_rule import G, GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..tensors import structure
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable
from .cotangent import expanded
from .gradient_plan import plan_of
from .record import follow, record, record_several, wrap
from .tape import GradientTape

__all__ = [
    "custom_gradient",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "value_and_gradients_function",
]


def gradients_function(f: Callable[..., Any], params: Sequence[int | str] | None = None) -> Callable[..., list[Any]]:
    """A function that gives the gradients of ``f`` by its arguments.

    Args:
        f: takes tensors (or what can be made one) by position, returns a tensor.
        params: which arguments, by position or name; default all positional ones.
    Returns:
        ``(*args) -> [gradient, ...]``, None for an argument the result does not depend on.
    Raises:
        DTypeError: when called: an argument or result without a gradient.

    Example:
        >>> import polytape as pt
        >>> square = lambda x: x * x
        >>> [float(g) for g in pt.gradients_function(square)(3.0)]
        [6.0]
    """
    both = value_and_gradients_function(f, params)

    def gradients(*args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = both(*args, **kwargs)[1]
        return found

    return gradients


def value_and_gradients_function(
    f: Callable[..., Any], params: Sequence[int | str] | None = None
) -> Callable[..., tuple[Any, list[Any]]]:
    """As `gradients_function`, but the function gives ``(value, [gradient, ...])``."""
    wanted = None if params is None else list(params)

    def value_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        places = _places(f, wanted, len(args))
        inputs = [_input(x) if place in places else x for place, x in enumerate(args)]
        sources = [inputs[place] for place in places]
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            value = f(*inputs, **kwargs)
        _check_value(f, value)
        return value, tape.gradient(value, sources)

    return value_and_gradients


def _places(f: Callable[..., Any], params: list[int | str] | None, count: int) -> list[int]:
    if params is None:
        return list(range(count))
    import inspect

    names: list[str] = []
    if any([isinstance(one, str) for one in params]):
        names = list(inspect.signature(f).parameters)
    places: list[int] = []
    for one in params:
        place = names.index(one) if isinstance(one, str) and one in names else one
        if not isinstance(place, int) or not 0 <= place < count:
            raise DTypeError(
                f"params names no argument {one!r}.",
                expected=f"positions below {count}" + (f", or one of {', '.join(names)}" if names else ""),
                got=repr(one),
                fix="name positional arguments of the function that the call gives",
            )
        places.append(place)
    return places


def _input(x: Any) -> Tensor:
    """An argument as a handle of its own, so that watching it leaves the caller's alone."""
    made: Tensor = x if isinstance(x, Tensor) else operators.asarray(x)
    if made.type.category < FLOATING:
        made = operators.astype(made, float32)
    if isinstance(made, Variable):
        return made
    if made.node is not None:
        # The same tensor may be two arguments: a node per argument, which open tapes follow.
        own: Tensor = operators.identity(made)
        return own
    return Tensor(made.array, made.type, None)


def _check_value(f: Callable[..., Any], value: Any) -> None:
    if value is None:
        raise DTypeError(
            f"{getattr(f, '__name__', 'the function')} returned None, which has no gradient.",
            expected="a tensor, or a structure of tensors",
            got="None",
            fix="return the loss from the function",
        )


def implicit_gradients(f: Callable[..., Any]) -> Callable[..., list[tuple[Any, Variable]]]:
    """A function that gives the gradients of ``f`` by the trainable variables it uses.

    Args:
        f: returns a tensor.
    Returns:
        ``(*args) -> [(gradient, variable), ...]``, as an optimizer's ``apply_gradients`` takes them.
    Raises:
        TapeError: when called: ``f`` used no trainable variable.
    """
    both = implicit_value_and_gradients(f)

    def gradients(*args: Any, **kwargs: Any) -> list[tuple[Any, Variable]]:
        found: list[tuple[Any, Variable]] = both(*args, **kwargs)[1]
        return found

    return gradients


def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., tuple[Any, list[tuple[Any, Variable]]]]:
    """As `implicit_gradients`, but the function gives ``(value, [(gradient, variable), ...])``."""

    def value_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, list[tuple[Any, Variable]]]:
        with GradientTape() as tape:
            value = f(*args, **kwargs)
        _check_value(f, value)
        variables = list(tape.watched_variables())
        if not variables:
            raise TapeError(
                f"{getattr(f, '__name__', 'the function')} used no trainable variable.",
                expected="a function that uses polytape.Variable objects",
                got="none",
                fix="use gradients_function for gradients by arguments",
            )
        gradients = tape.gradient(value, variables)
        return value, list(zip(gradients, variables, strict=True))

    return value_and_gradients


# --- gradients written by hand --------------------------------------------------------------------------------------


def _no_rule(*operands: Any) -> Any:
    return operands


def _custom_body(*args: Any) -> Any:
    """A function with a gradient written by hand; recorded by `custom_gradient`, never called."""
    return args


class Several:
    """The cotangents of a function with several results, as its op's ``outputs`` takes them."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts: Final = parts


class HandRule:
    """The hand-written gradient as a rule: fills in zeros for results nobody used, and checks what comes back."""

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
        found = self.grad(*full)
        results = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(results) != len(self.inputs):
            raise TapeError(
                f"the gradient of {self.name} gave {len(results)} results.",
                expected=f"{len(self.inputs)}, one per argument",
                got=str(len(results)),
                fix="return one gradient (or None) per positional argument",
            )
        checked = [self.checked(place, result) for place, result in enumerate(results)]
        return tuple(checked) if len(checked) > 1 else checked[0]

    def checked(self, place: int, result: Any) -> Any:
        """One gradient as a tensor of its argument's shape, or of shape () where one number stands for all."""
        if result is None:
            return None
        tensor_type, shape = self.inputs[place]
        if isinstance(result, (bool, int, float)):
            return Tensor(tensor_type.make_scalar(float(result)), tensor_type, None)
        if not isinstance(result, Tensor) or result.array.shape not in (shape, ()):
            raise TapeError(
                f"the gradient of {self.name} by argument {place} is {describe(result)}.",
                expected=f"a tensor of shape {shape}, a number or None",
                got=describe(result),
                fix="return a gradient of the argument's own shape",
            )
        return result


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns ``(result, grad)`` with a gradient written by hand.

    Args:
        f: ``(*tensors, **options) -> (y, grad)``; ``y`` a tensor or a list or tuple of tensors, ``grad`` takes the
            gradient of each and returns one per positional argument. Made of ops, it can itself be differentiated.
    Returns:
        ``(*tensors, **options) -> y``.
    Raises:
        TapeError: when called: ``f`` uses a trainable variable that is no argument (its gradient would be lost), or
            does not return a pair.

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

    def wrapped(*args: Any, **options: Any) -> Any:
        inputs: list[Tensor] = [x if isinstance(x, Tensor) else operators.asarray(x) for x in args]
        with GradientTape() as watcher:
            returned = f(*inputs, **options)
        _check_pair(name, returned, inputs, watcher)
        y, grad = returned
        return _with_gradient(name, inputs, y, grad)

    wrapped.__wrapped__ = f  # type: ignore[attr-defined]  # as functools.wraps does, for inspect
    return wrapped


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
                f"{name} uses the variable {variable.name or describe(variable)}, which is no argument of it.",
                expected="every trainable variable it uses among its positional arguments",
                got=describe(variable),
                fix="pass the variable as an argument, and return its gradient too",
            )


def _with_gradient(name: str, inputs: list[Tensor], y: Any, grad: Any) -> Any:
    outputs = structure.leaves(y)
    scope = current_scope.get()
    if scope.trace is not None:
        outputs = [scope.trace.read(out) for out in outputs]
    tapes, watched = follow(inputs, scope)
    # New handles: the gradient function may hold the ones it was made beside, and would close a cycle.
    if not watched:
        return structure.rebuild(y, [wrap(out.array, out.type, None) for out in outputs])
    several = not isinstance(y, Tensor)
    tensor_types = [out.type for out in outputs]
    shapes = [out.array.shape for out in outputs]
    op = _hand_op(name, len(inputs), several)
    rule = HandRule(name, grad, [(x.type, x.array.shape) for x in inputs], tensor_types, shapes)
    op.rules.append(GradientRule(rule, tuple(range(len(inputs))), (G,), ()))
    resolution = Resolution(None, None, tuple([x.type for x in inputs]), tuple(tensor_types), (), "kernel")
    nodes = tuple([x.node if watched >> place & 1 else None for place, x in enumerate(inputs)])
    plan = plan_of(op, len(inputs), watched)
    arrays = tuple([x.array for x in inputs])
    results = [out.array for out in outputs]
    if several:
        return structure.rebuild(y, record_several(op, resolution, plan, tapes, nodes, arrays, None, results))
    return Tensor(results[0], tensor_types[0], record(op, resolution, plan, tapes, nodes, arrays, None, results[0]))


def _hand_op(name: str, count: int, several: bool) -> Op:
    operands = tuple([f"x{place}" for place in range(count)])
    op = Op(name, _custom_body, operands, operands, count)
    op.dtype_rule = op.shape_rule = _no_rule
    op.outputs = Several if several else None
    return op
