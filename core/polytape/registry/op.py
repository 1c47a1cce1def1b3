"""Op: an abstract operation as a value. It does no numerical work."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import names_of
from ..errors import DTypeError, KernelError, RegistrationError, ShapeError
from .gradient_rule import ATTRIBUTE, INDEX, SEQUENCE, SHAPE_OF, SHAPES, G, GradientPlan, GradientRule, Y
from .resolution import Resolution
from .tensor_type import TensorType

__all__ = ["Binary", "ItemAccess", "Op", "Unary"]


class Op:
    """An abstract operation; `polytape.ops.declaration.op` makes one from a declared function.

    Attributes:
        name: unique among all ops.
        module: the module of the declared function. For polytape's own ops it is a family, a module of `polytape.ops`.
        body: the declared function; it raises for a primitive that needs a kernel for every dtype.
        parameters: the names of all parameters in order; the first ``positional`` of them can be given by position.
        operands: the names of the operands. The last is a sequence if ``variadic``; those in ``optional`` may be None.
        attributes: the names of the other parameters in order, with ``defaults``; ``required``: some have no default.
        leading: whether the operands are the first parameters and can be given by position.
        creates: whether it creates tensors, that is, whether it has a ``device`` parameter.
        primitive: whether it needs a kernel for any dtype. primitive_for: for which, as in a kernel's ``dtypes``.
        outputs: the NamedTuple class of an op with several outputs, otherwise None.
        the rest of the declaration: see `polytape.ops.declaration.op`.
        table: the table of the fast path, shared type of all operands -> Resolution. memo: all other resolutions.
        plans: the gradient plans by number of operands and watched operands. few: those for one operand (at 1) and
            two (at 3, 4, 5), found without hashing a key. `polytape.autodiff.gradient_plan` fills both.
        recent: the latest resolution by a kernel that does not depend on attributes, for `GeneralOp`.
        decomposed: whether any resolution in ``table`` or ``memo`` does not call a kernel.
    """

    def __init__(
        self,
        name: str,
        body: Callable[..., Any],
        parameters: tuple[str, ...],
        operands: tuple[str, ...],
        positional: int,
    ) -> None:
        self.name: str = name
        self.__name__: str = name
        self.__qualname__: str = name
        # In a compiled class, __module__ of the class hides that of an instance. A function made by exec may have none.
        self.module: str = getattr(body, "__module__", None) or "polytape"
        self.__module__: str = self.module
        self.__wrapped__: Any = body
        self.body: Any = body
        self.parameters: tuple[str, ...] = parameters
        self.positional: int = positional
        self.operands: tuple[str, ...] = operands
        self.attributes: tuple[str, ...] = tuple([name for name in parameters if name not in operands])
        self.leading: bool = parameters[: len(operands)] == operands and positional >= len(operands)
        self.defaults: dict[str, Any] = {}
        self.required: bool = False
        self.creates: bool = "device" in parameters
        self.dtype_rule: Any = None
        self.dtype_attributes: tuple[str, ...] = ()
        self.shape_rule: Any = None
        self.shape_attributes: tuple[str, ...] = ()
        self.outputs: Any = None
        self.primitive: bool = True
        self.primitive_for: tuple[str, ...] = ("any",)
        self.variadic: bool = False
        self.optional: tuple[str, ...] = ()
        self.elementwise = self.partial = False
        self.promotes: tuple[str, ...] = ()
        self.floating: bool = False
        self.accepts: tuple[str, ...] = ()
        self.number_rule: Any = None
        self.host: tuple[str, ...] = ()
        self.no_gradient: str = ""
        self.one_is_neutral: bool = False
        self.internal: str = ""
        self.rules: list[GradientRule] = []
        self.contractions: dict[int, GradientRule] = {}
        self.table: dict[TensorType, Resolution] = {}
        self.memo: dict[Any, Resolution] = {}
        self.recent: Resolution | None = None
        self.plans: dict[tuple[int, int], GradientPlan] = {}
        self.few: list[GradientPlan | None] = [None] * 6
        self.decomposed: bool = False

    # Defined here too, not only in the subclasses: mypyc 2.4 lays out a class with __call__ differently from a base
    # class without it.
    def __call__(self, *args: Any, **attributes: Any) -> Any:
        """Raise KernelError; each subclass overrides it."""
        raise KernelError(f"{self!r} cannot be called", fix="use UnaryOp, BinaryOp or GeneralOp")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.body)

    def gradient(self, *names: str, **rules: Callable[..., Any]) -> Any:
        """Declare how a gradient flows back through this op.

        Use ``op.gradient(x=lambda g, y: g * y)`` with one rule per operand, or the decorator ``@op.gradient("a", "b")``
        on one rule that returns a tuple. The parameter names of a rule determine its arguments: ``g``, ``y``, an
        operand, ``<operand>_shape``, an attribute, and for operands given as a sequence ``index`` and ``shapes``.

        Raises:
            RegistrationError: a name that this op does not have.
        """
        for name, fn in rules.items():
            self.rules.append(make_rule(self, (name,), fn, parameter_names(fn), positional_count(fn)))
        self.forget_plans()

        def declare(fn: Any) -> Any:
            self.rules.append(make_rule(self, names, fn, parameter_names(fn), positional_count(fn)))
            return fn

        return declare

    def contraction(self, **rules: Callable[..., Any]) -> None:
        """Declare a shortcut for the gradient of an operand of shape () that is broadcast.

        The elementwise rule would compute a product of the full shape, which core would then sum up;
        ``x1=lambda g, x2: vdot(g, x2)`` does both at once. The shortcut is used if ``g`` and the operands that it needs
        have the output's shape.

        Raises:
            RegistrationError: a name that this op does not have.
        """
        for name, fn in rules.items():
            rule = make_rule(self, (name,), fn, parameter_names(fn), positional_count(fn))
            self.contractions[rule.operands[0]] = rule
        self.forget_plans()

    def forget_plans(self) -> None:
        """Drop the plans: a rule has been added."""
        self.plans = {}
        self.few = [None] * 6

    def forget(self) -> None:
        """Drop all resolutions: a registration may have made them stale."""
        self.table = {}
        self.memo = {}
        self.recent = None
        self.decomposed = False

    def on_host(self, position: int) -> bool:
        """Whether the operand at ``position`` stays a host array on every device."""
        return bool(self.host) and position < len(self.operands) and self.operands[position] in self.host

    def promoted(self, position: int) -> bool:
        """Whether the operand at ``position`` promotes with other operands."""
        return bool(self.promotes) and self.operand_name(position) in self.promotes

    def needs_kernel(self, names: Sequence[str]) -> bool:
        """Whether the body does not serve operands with these names of dtypes, so that only a kernel can."""
        if not self.primitive or "any" in self.primitive_for:
            return self.primitive
        needed = frozenset[str]().union(*[names_of(spec) for spec in self.primitive_for])
        return not needed.isdisjoint(names)

    def operand_name(self, position: int) -> str:
        """The name of the operand at ``position``; all elements of a sequence have the same name."""
        return self.operands[min(position, len(self.operands) - 1)]

    def output_shapes(self, arrays: Any, attributes: dict[str, Any]) -> list[tuple[int, ...]]:
        """The outputs' shapes, computed by the shape rule.

        Raises:
            ShapeError: the rule rejects the operands' shapes.
        """
        rule_attributes = {name: attributes.get(name, self.defaults.get(name)) for name in self.shape_attributes}
        shapes = [None if array is None else array.shape for array in arrays]
        try:
            result = self.shape_rule(*shapes, **rule_attributes)
        except ShapeError as error:
            arguments = [f"[{','.join(map(str, shape))}]" for shape in shapes if shape is not None]
            arguments += [f"{name}={value!r}" for name, value in rule_attributes.items()]
            raise type(error)(
                f"{self.name}({', '.join(arguments)}): {error.summary}",
                expected=error.expected,
                got=error.got,
                fix=error.fix,
            ) from None
        return list(result) if self.outputs is not None else [result]

    def run_body(self, operands: list[Any], attributes: dict[str, Any]) -> Any:
        """Run the declared function on tensors: as a decomposition, or to differentiate through it."""
        single = len(self.operands) - 1 if self.variadic else len(self.operands)
        arguments = dict(attributes)
        for name, operand in zip(self.operands, operands[:single], strict=False):
            arguments[name] = operand
        if self.variadic:
            arguments[self.operands[-1]] = operands[single:]
        positional = [arguments.pop(name) for name in self.parameters[: self.positional] if name in arguments]
        return self.body(*positional, **arguments)


class Unary(Op):
    """An op whose only operand is its first parameter: the interface that Tensor's operators call."""

    def operate(self, x: Any) -> Any:
        """Raise KernelError; `polytape.dispatch.fast_path.UnaryOp` overrides it."""
        raise KernelError(f"{self!r} cannot be called", fix="use UnaryOp")


class Binary(Op):
    """An op with two operands and no attributes: the interface that Tensor's operators call."""

    def operate(self, x1: Any, x2: Any) -> Any:
        """Raise KernelError; `polytape.dispatch.fast_path.BinaryOp` overrides it."""
        raise KernelError(f"{self!r} cannot be called", fix="use BinaryOp")


class ItemAccess:
    """Access to items without an op: the interface that Tensor calls."""

    def get(self, x: Any, key: Any) -> Any:
        """Return None: the op serves every access; `polytape.dispatch.items.Items` overrides it."""
        return None

    def set(self, x: Any, key: Any, value: Any) -> bool:
        """Return False, as `get`."""
        return False


def make_rule(op: Op, names: Sequence[str], fn: Any, parameters: Sequence[str], positional: int) -> GradientRule:
    """Check a rule's parameter names against its op, and translate them to the codes in `gradient_rule`.

    Args:
        op: the op.
        names: the operands that the rule serves.
        fn: the rule.
        parameters: its parameters' names; those from ``positional`` on are keyword-only.
    Raises:
        RegistrationError: a name that the op does not have.
    """
    needs = tuple([_need(op, name, parameters) for name in parameters[:positional]])
    keywords = tuple(parameters[positional:])
    for name in keywords:
        if name not in op.attributes:
            _need(op, name, ())
    positions = tuple([_position(op, name) for name in names])
    return GradientRule(fn, positions, needs, keywords)


def _need(op: Op, name: str, parameters: Sequence[str]) -> int:
    if name == "g":
        return G
    if name == "y":
        return Y
    if name == "index" and op.variadic:
        return INDEX
    if name == "shapes" and op.variadic:
        return SHAPES
    if name in op.operands:
        position = op.operands.index(name)
        return SEQUENCE if op.variadic and position == len(op.operands) - 1 else position
    if name in op.attributes:
        return ATTRIBUTE + op.attributes.index(name)
    if name.endswith("_shape") and name[:-6] in op.operands:
        return SHAPE_OF + op.operands.index(name[:-6])
    raise RegistrationError(
        f"a gradient rule of {op.name} has an unknown parameter {name!r}.",
        expected=f"g, y, an operand ({', '.join(op.operands)}), <operand>_shape or an attribute "
        f"({', '.join(op.attributes)})",
        got=f"parameters {', '.join(parameters)}",
        fix="rename the rule's parameter",
    )


def _position(op: Op, name: str) -> int:
    if name not in op.operands:
        raise RegistrationError(
            f"{op.name} has no operand {name!r} to declare a gradient for.",
            expected=f"one of {', '.join(op.operands)}",
            got=repr(name),
            fix="rename it in the call of .gradient",
        )
    return op.operands.index(name)


def positional_count(fn: Any) -> int:
    """How many of a function's parameters can be given by position."""
    code = getattr(fn, "__code__", None)
    if code is None:
        parameters = inspect.signature(fn).parameters.values()
        return len([parameter for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY])
    count: int = code.co_argcount
    return count


def parameter_names(fn: Any) -> tuple[str, ...]:
    """A function's parameter names in order, keyword-only ones last."""
    code = getattr(fn, "__code__", None)
    if code is None:
        return tuple(inspect.signature(fn).parameters)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


def check_attributes(op: Op, attributes: dict[str, Any]) -> None:
    """Check that the op has all of these attributes and that no required one is missing; make their values `plain`.

    Raises:
        TypeError: as Python does for a call with wrong arguments.
    """
    for name in op.accepts:
        attributes.pop(name, None)
    for name, value in attributes.items():
        if name not in op.attributes:
            from ..foreign_names import unknown_argument

            raise unknown_argument(op.name, name, op.attributes)
        kind = type(value)
        if kind is not int and kind is not bool and kind is not float and kind is not str and value is not None:
            attributes[name] = plain(value)
    for name in op.attributes if op.required else ():
        if name not in attributes and name not in op.defaults:
            raise TypeError(f"{op.name}() missing required argument {name!r}")


def plain(value: Any, depth: int = 0) -> Any:
    """An attribute's value, with NumPy's numbers as Python's and lists as tuples, as kernels and graphs expect."""
    if depth > 64:  # compiled code does not limit recursion
        raise DTypeError(
            "a list that is passed as an argument contains itself, or is nested too deeply.",
            expected="at most 64 levels of lists",
            got="more, or a list that is an item of itself",
            fix="flatten the list",
        )
    if isinstance(value, tuple):
        for x in value:
            if type(value) is tuple and type(x) is not int:
                return tuple([plain(x, depth + 1) for x in value])
        return value  # a tuple of integers, or the key of an index, which is a subclass of tuple
    if type(value) is list:
        return tuple([plain(x, depth + 1) for x in value])
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def too_many(op: Op, got: int) -> TypeError:
    """The error that Python itself raises for too many positional arguments."""
    hint = "; pass the shape as one tuple" if op.parameters[op.positional - 1 : op.positional] == ("shape",) else ""
    return TypeError(f"{op.name}() takes {op.positional} positional arguments but {got} were given{hint}")
