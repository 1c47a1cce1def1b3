"""The declaration of an op: one decorated, typed, documented function.

Operands are the parameters annotated ``Tensor``, ``TensorLike``, either with ``| None``, or ``Sequence[...]`` of them;
every other parameter is an attribute. The body is the decomposition; the body of a primitive is ``return primitive()``,
or serves only the dtypes that ``primitive_for`` does not name.
This module is not compiled: it runs once per op, and its types are for type checkers.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..device import Device
from ..dispatch.fast_path import BinaryOp, GeneralOp, Op, UnaryOp
from ..dtypes import float32
from ..errors import KernelError, RegistrationError
from ..registry import tables
from ..registry.gradient_rule import RESERVED
from ..registry.op import parameter_names
from ..tensors.tensor import Tensor, TensorLike, operators

if TYPE_CHECKING:
    from typing import ParamSpec, Protocol, TypeVar

__all__ = ["converted", "in_single", "op", "primitive", "states"]

if TYPE_CHECKING:
    # For type checkers only: creating these classes at import would take 0.7 ms.
    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)
    F = TypeVar("F", bound=Callable[..., Any])

    class Declared(Protocol[P, R]):
        """The type of an op for type checkers: callable with its declared signature."""

        name: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
            """Run the op."""

        def gradient(self, *names: str, **rules: Callable[..., Any]) -> Callable[[F], F]:
            """Declare gradient rules; see `polytape.registry.op.Op.gradient`."""

        def contraction(self, **rules: Callable[..., Any]) -> None:
            """Declare cheaper rules for operands of shape (); see `polytape.registry.op.Op.contraction`."""


_SINGLE = {"Tensor", "TensorLike", "Variable"}
_SEQUENCES = {"Sequence[Tensor]", "Sequence[TensorLike]"}
_OPERANDS = _SINGLE | _SEQUENCES


class _Doc:
    """``op.__doc__``: the declared function's docstring, completed with the facts that the op's rules state.

    It is a descriptor because in a compiled class the class docstring hides an instance attribute.
    """

    def __init__(self, own: str | None) -> None:
        self.own = own

    def __get__(self, op: Op | None, owner: type) -> str | None:
        if op is None:
            return self.own
        from .documentation import complete

        return complete(op)


class ClassDoc:
    """The docstring of a compiled class, which mypyc leaves out: read from the source when it is asked for."""

    def __get__(self, x: object, owner: type) -> str | None:
        from .documentation import in_source

        return in_source(owner)


def _by_name(op: Op) -> tuple[Callable[[str], Op], tuple[str]]:
    """The reduce function of ops for pickle and copy, which store only the name."""
    return tables.get_op, (op.name,)


for _class in (UnaryOp, BinaryOp, GeneralOp):
    setattr(_class, "__doc__", _Doc(_class.__doc__))  # noqa: B010  # a type checker rejects the plain assignment
    copyreg.pickle(_class, _by_name)  # not __reduce__: registry.op cannot import the tables, which import it


def document(cls: type) -> None:
    """Give a compiled class its docstring."""
    if not cls.__doc__:
        setattr(cls, "__doc__", ClassDoc())  # noqa: B010  # as above


document(Tensor)
document(Device)


def states(**facts: str) -> Callable[[F], F]:
    """Describe a dtype or shape rule in words, from which docstrings and the default samples of the kit are generated.

    Args:
        facts: ``takes``: the dtypes that a dtype rule accepts, or the shapes of the operands that a shape rule accepts.
            ``returns``: the result's dtype or shape; ``same`` means that of the operand, or the one that several
            operands promote or broadcast to. ``rejects``: which operands raise an error. Any other name is an
            attribute that the rule reads, with its meaning. ``{x}`` stands for the operands.
    """

    def attach(rule: F) -> F:
        rule.facts = facts  # type: ignore[attr-defined]  # functions take attributes
        return rule

    return attach


def primitive() -> NoReturn:
    """The body of an op that has no decomposition; running it is a bug in polytape."""
    raise KernelError("a primitive's body was run", fix="report this: resolution should have raised an error earlier")


def converted(x: TensorLike) -> Tensor:
    """``x``, narrowed to Tensor for type checkers: core converts the operands before it runs a body."""
    assert isinstance(x, Tensor)
    return x


def in_single(f: Callable[..., Tensor], *operands: TensorLike) -> Tensor:
    """``f(*operands)``; in half precision it is computed in float32 and rounded once."""
    dtype = converted(operands[0]).dtype
    if dtype.itemsize != 2 or dtype.kind in "iu":
        return f(*operands)
    y: Tensor = operators.astype(f(*[operators.astype(x, float32) for x in operands]), dtype)
    return y


def op(
    *,
    dtype: Callable[..., Any],
    shape: Callable[..., Any],
    elementwise: bool = False,
    partial: bool = False,
    promotes: tuple[str, ...] | None = None,
    floating: bool = False,
    numbers: Callable[[int, int, Any], None] | None = None,
    host: tuple[str, ...] = (),
    outputs: type | None = None,
    no_gradient: str = "",
    one_is_neutral: bool = False,
    accepts: tuple[str, ...] = (),
    internal: str = "",
    primitive_for: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Declared[P, R]]:
    """Declare an op from a function.

    Args:
        dtype, shape: the rules, ``(*operand dtypes, **attributes it reads) -> dtype`` (a tuple for several outputs).
        elementwise: whether operands broadcast and the op acts on each element; core then un-broadcasts gradients.
        partial: whether gradient rules accept a cotangent of shape () for one of the full shape.
        promotes: the operands that promote to one dtype; default: all if ``elementwise`` or ``floating``, else none.
        floating: whether operands that promote to an integer dtype or bool are cast to float32 first.
        numbers: a check of a negative Python integer beside a tensor: ``(position, number, dtype they promote to)``.
        host: operands that stay NumPy arrays on every device.
        outputs: the NamedTuple class of an op with several outputs.
        no_gradient: why no gradient flows through the op. Without it and without rules, its body is differentiated.
        one_is_neutral: whether the op returns its other operand if one operand is 1.
        accepts: parameters that do not change the result, such as the standard's ``copy``; kernels do not get them.
        internal: how users reach an op that is not in its module's ``__all__``, for example ``x[key]``.
        primitive_for: the dtypes, or kinds of dtypes, for which the op needs a kernel; its body serves all others.
    Raises:
        RegistrationError: a parameter name that gradient rules reserve, or the name of another op.
    """

    def declare(body: Callable[P, R]) -> Declared[P, R]:
        result = build(body, dtype, shape, host, outputs, accepts, primitive_for)
        result.elementwise, result.partial, result.floating = elementwise, partial, floating
        result.promotes = promotes if promotes is not None else result.operands if elementwise or floating else ()
        result.number_rule = numbers
        result.host = host
        result.no_gradient, result.internal = no_gradient, internal
        result.one_is_neutral = one_is_neutral
        result.accepts = accepts
        tables.add_op(result)
        return cast("Declared[P, R]", result)

    return declare


def build(
    body: Callable[..., Any],
    dtype: Callable[..., Any],
    shape: Callable[..., Any],
    host: tuple[str, ...],
    outputs: type | None,
    accepts: tuple[str, ...],
    primitive_for: tuple[str, ...],
) -> Op:
    """The op object of a declaration, not yet registered."""
    name = body.__name__.rstrip("_")
    parameters = tuple([parameter for parameter in parameter_names(body) if parameter not in accepts])
    reserved = [parameter for parameter in parameters if parameter in RESERVED or parameter.endswith("_shape")]
    if reserved:
        raise RegistrationError(
            f"{name} cannot have a parameter {reserved[0]!r}.",
            expected=f"names other than {', '.join(RESERVED)} and *_shape, which gradient rules use",
            got=repr(reserved[0]),
            fix="rename it",
        )
    annotations = {parameter: _annotation_text(note) for parameter, note in body.__annotations__.items()}
    types = {parameter: text.removesuffix(" | None") for parameter, text in annotations.items()}
    operands = tuple(parameter for parameter in parameters if types.get(parameter) in _OPERANDS)
    variadic = bool(operands) and types[operands[-1]] in _SEQUENCES
    optional = tuple(operand for operand in operands if annotations[operand].endswith(" | None"))
    attributes = [parameter for parameter in parameters if parameter not in operands]
    code = cast("Any", body).__code__
    op_class: Any = GeneralOp
    simple = not (variadic or optional or host or outputs)
    # UnaryOp and BinaryOp take operands by position only; any other signature needs GeneralOp.
    if simple and len(operands) == 1 and parameters[0] == operands[0] and code.co_posonlyargcount:
        op_class = UnaryOp
    elif simple and len(operands) == 2 and not attributes and code.co_posonlyargcount == 2:
        op_class = BinaryOp
    result: Op = op_class(name, body, parameters, operands, code.co_argcount)
    result.defaults = _defaults(body, parameters)
    result.required = any(attribute not in result.defaults for attribute in attributes)
    result.primitive = bool(primitive_for) or code.co_names[:1] == ("primitive",)
    result.primitive_for = primitive_for or ("any",)
    result.variadic = variadic
    result.optional = optional
    result.dtype_rule, result.dtype_attributes = dtype, _attributes_read(dtype, attributes)
    result.shape_rule, result.shape_attributes = shape, _attributes_read(shape, attributes)
    result.outputs = outputs
    return result


def _annotation_text(annotation: Any) -> str:
    """An annotation, a string or an object, as the text that ``_OPERANDS`` uses."""
    if isinstance(annotation, str) and (annotation in _OPERANDS or "Tensor" not in annotation):
        return annotation  # the usual case; the code below costs 1 ms at import for the first op
    import re

    if isinstance(annotation, str):
        text = annotation
    else:
        text = annotation.__name__ if type(annotation) is type else str(annotation)
    text = text.replace(repr(TensorLike), "TensorLike").replace(str(TensorLike), "TensorLike")
    text = re.sub(r"[\w.]+\.(?=\w)", "", text)  # pt.Tensor, collections.abc.Sequence
    return re.sub(r"^Optional\[(.*)\]$", r"\1 | None", text)


def _defaults(body: Any, parameters: tuple[str, ...]) -> dict[str, Any]:
    positional = body.__defaults__ or ()
    count = body.__code__.co_argcount
    defaults = dict(zip(parameters[count - len(positional) : count], positional, strict=True))
    defaults.update(body.__kwdefaults__ or {})
    return defaults


def _attributes_read(rule: Callable[..., Any], attributes: list[str]) -> tuple[str, ...]:
    """The attributes that are parameters of a rule."""
    return tuple(parameter for parameter in parameter_names(rule) if parameter in attributes)
