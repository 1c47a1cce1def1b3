"""The declaration of an op: one decorated, typed, documented function.

Operands are the parameters annotated ``Tensor``, ``TensorLike``, either with ``| None``, or ``Sequence[...]`` of them;
everything else is an attribute. The body is the decomposition; a primitive's is ``return primitive()``. This module is
not compiled: it runs once per op, and its types are for checkers.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..dispatch.fast_path import BinaryOp, GeneralOp, Op, UnaryOp
from ..errors import KernelError, RegistrationError
from ..registry import tables
from ..registry.gradient_rule import RESERVED
from ..registry.op import parameter_names
from ..tensors.tensor import TensorLike

if TYPE_CHECKING:
    from typing import ParamSpec, Protocol, TypeVar

__all__ = ["op", "primitive", "states"]

if TYPE_CHECKING:
    # For checkers alone: making these classes at import would take 0.7 ms.
    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)
    F = TypeVar("F", bound=Callable[..., Any])

    class Declared(Protocol[P, R]):
        """An op as type checkers see it: callable with its declared signature."""

        name: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
            """Run the op."""

        def gradient(self, *names: str, **rules: Callable[..., Any]) -> Callable[[F], F]:
            """Declare gradient rules; see `polytape.registry.op.Op.gradient`."""

        def contraction(self, **rules: Callable[..., Any]) -> None:
            """Declare shorter rules to a number's gradient; see `polytape.registry.op.Op.contraction`."""


_OPERANDS = {"Tensor", "TensorLike", "Variable"}
_SEQUENCES = {"Sequence[Tensor]", "Sequence[TensorLike]"}
_KNOWN = _OPERANDS | _SEQUENCES


class _Doc:
    """``op.__doc__``: the declared function's docstring, completed with what the op's rules state.

    A descriptor, since the class's own docstring would hide an instance's attribute once compiled.
    """

    def __init__(self, own: str | None) -> None:
        self.own = own

    def __get__(self, op: Op | None, owner: type) -> str | None:
        if op is None:
            return self.own
        from .documentation import complete

        return complete(op)


def _by_name(op: Op) -> tuple[Callable[[str], Op], tuple[str]]:
    """How an op is pickled and copied: by its name."""
    return tables.get_op, (op.name,)


for _class in (UnaryOp, BinaryOp, GeneralOp):
    setattr(_class, "__doc__", _Doc(_class.__doc__))  # noqa: B010  # a checker rejects the plain assignment
    copyreg.pickle(_class, _by_name)  # not __reduce__: an op does not know the tables that hold it


def states(**facts: str) -> Callable[[F], F]:
    """Attach to a dtype or shape rule what it says in words: docstrings and the kit's default samples are made of it.

    Args:
        facts: ``takes``: the dtypes that a dtype rule accepts, or the shapes of the operands that a shape rule accepts.
            ``returns``: the result's dtype or shape; ``same``: the operand's, or what several operands promote or
            broadcast to. ``rejects``: which operands raise an error. Any other name is an attribute that the rule
            reads, with its meaning. ``{x}`` stands for the operands.
    """

    def attach(rule: F) -> F:
        rule.facts = facts  # type: ignore[attr-defined]  # functions take attributes
        return rule

    return attach


def primitive() -> NoReturn:
    """The body of an op that has no decomposition; calling it is a bug of ours."""
    raise KernelError("a primitive's body was run", fix="report this: resolution should have refused before")


def op(
    *,
    dtype: Callable[..., Any],
    shape: Callable[..., Any],
    elementwise: bool = False,
    partial: bool = False,
    promotes: tuple[str, ...] | None = None,
    floating: bool = False,
    host: tuple[str, ...] = (),
    outputs: type | None = None,
    no_gradient: str = "",
    one_is_neutral: bool = False,
    internal: str = "",
) -> Callable[[Callable[P, R]], Declared[P, R]]:
    """Make an op of a function.

    Args:
        dtype: its dtype rule, ``(*operand dtypes, **attributes it names) -> dtype`` (a tuple for several outputs).
        shape: its shape rule, ``(*operand shapes, **attributes it names) -> shape`` (a tuple for several outputs).
        elementwise: whether operands broadcast against each other and the op acts on each element; core then
            un-broadcasts gradients.
        partial: whether its gradient rules take a cotangent of shape () that stands for a full one.
        promotes: the operands that promote to one dtype; default: all of an elementwise op, none of any other.
        floating: whether integer operands are cast to float32 first.
        host: operands that stay NumPy arrays on every device.
        outputs: the NamedTuple class of an op with several outputs.
        no_gradient: why no gradient flows through it; without it an op without rules is differentiated through its
            body.
        one_is_neutral: whether the op with 1 gives the other operand.
        internal: how users reach an op that is not in its module's ``__all__``, for example ``x[key]``.
    Raises:
        RegistrationError: a parameter name that gradient rules reserve, or a name another op has.
    """

    def declare(body: Callable[P, R]) -> Declared[P, R]:
        made = build(body, dtype, shape, host, outputs)
        made.elementwise = elementwise
        made.promotes = promotes if promotes is not None else made.operands if elementwise else ()
        made.partial = partial
        made.floating = floating
        made.host = host
        made.no_gradient = no_gradient
        made.one_is_neutral = one_is_neutral
        made.internal = internal
        tables.add_op(made)
        return cast("Declared[P, R]", made)

    return declare


def build(
    body: Callable[..., Any],
    dtype: Callable[..., Any],
    shape: Callable[..., Any],
    host: tuple[str, ...],
    outputs: type | None,
) -> Op:
    """The op object of a declaration, not yet registered."""
    name = body.__name__.rstrip("_")
    parameters = parameter_names(body)
    taken = [one for one in parameters if one in RESERVED or one.endswith("_shape")]
    if taken:
        raise RegistrationError(
            f"{name} cannot have a parameter {taken[0]!r}.",
            expected=f"names other than {', '.join(RESERVED)} and *_shape, which gradient rules use",
            got=repr(taken[0]),
            fix="rename it",
        )
    notes = {one: _spelled(note) for one, note in body.__annotations__.items()}
    plain = {one: note.removesuffix(" | None") for one, note in notes.items()}
    operands = tuple(one for one in parameters if plain.get(one) in _OPERANDS | _SEQUENCES)
    variadic = bool(operands) and plain[operands[-1]] in _SEQUENCES
    optional = tuple(one for one in operands if notes[one].endswith(" | None"))
    attributes = [one for one in parameters if one not in operands]
    code = cast("Any", body).__code__
    op_class: Any = GeneralOp
    simple = not (variadic or optional or host or outputs)
    # UnaryOp and BinaryOp take their operands by position only: another signature is served by GeneralOp.
    if simple and len(operands) == 1 and parameters[0] == operands[0] and code.co_posonlyargcount:
        op_class = UnaryOp
    elif simple and len(operands) == 2 and not attributes and code.co_posonlyargcount == 2:
        op_class = BinaryOp
    made: Op = op_class(name, body, parameters, operands, code.co_argcount)
    made.defaults = _defaults(body, parameters)
    made.required = any(one not in made.defaults for one in attributes)
    made.primitive = code.co_names[:1] == ("primitive",)
    made.variadic = variadic
    made.optional = optional
    made.dtype_rule, made.dtype_attributes = dtype, _asked(dtype, attributes)
    made.shape_rule, made.shape_attributes = shape, _asked(shape, attributes)
    made.outputs = outputs
    return made


def _spelled(note: Any) -> str:
    """An annotation as the short text the tables above have, whether it came as a string or as an object."""
    if isinstance(note, str) and (note in _KNOWN or "Tensor" not in note):
        return note  # the usual case; the rest costs 1 ms for the first op, at import
    import re

    text = note if isinstance(note, str) else note.__name__ if type(note) is type else str(note)
    text = text.replace(repr(TensorLike), "TensorLike").replace(str(TensorLike), "TensorLike")
    text = re.sub(r"[\w.]+\.(?=\w)", "", text)  # pt.Tensor, collections.abc.Sequence
    return re.sub(r"^Optional\[(.*)\]$", r"\1 | None", text)


def _defaults(body: Any, parameters: tuple[str, ...]) -> dict[str, Any]:
    given = body.__defaults__ or ()
    count = body.__code__.co_argcount
    found = dict(zip(parameters[count - len(given) : count], given, strict=True))
    found.update(body.__kwdefaults__ or {})
    return found


def _asked(rule: Callable[..., Any], attributes: list[str]) -> tuple[str, ...]:
    """The attributes a rule names as its own parameters."""
    return tuple(one for one in parameter_names(rule) if one in attributes)
