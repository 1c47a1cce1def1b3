"""Tensor's methods and its less frequent operators: each calls an op of the same meaning.

`add_methods` gives the class an attribute per name, which loads the op's family when it is first read and then replaces
itself by a function. `polytape.tensors.methods`, which tools/write_op_table.py writes, shows the methods to type
checkers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["BINARY_OPERATORS", "METHODS", "UNARY_OPERATORS", "add_methods"]

# The method, and the public function that it calls with the tensor as the first argument.
METHODS: Final = {
    "all": "all",
    "any": "any",
    "argmax": "argmax",
    "argmin": "argmin",
    "argsort": "argsort",
    "astype": "astype",
    "clip": "clip",
    "conj": "conj",
    "diagonal": "diagonal",
    "dot": "dot",
    "flatten": "flatten",
    "max": "max",
    "mean": "mean",
    "min": "min",
    "nonzero": "nonzero",
    "permute_dims": "permute_dims",
    "prod": "prod",
    "repeat": "repeat",
    "reshape": "reshape",
    "round": "round",
    "sort": "sort",
    "squeeze": "squeeze",
    "std": "std",
    "sum": "sum",
    "swapaxes": "swapaxes",
    "take": "take",
    "to": "to",
    "trace": "trace",
    "transpose": "transpose",
    "var": "var",
    "copy": "identity",
    "cumprod": "cumulative_prod",
    "cumsum": "cumulative_sum",
    "detach": "stop_gradient",
}
# Methods that also take the ints of their tuple one by one, as NumPy's and PyTorch's do.
SPREAD: Final = ("permute_dims", "reshape")
UNARY_OPERATORS: Final = {"__invert__": "bitwise_invert", "__round__": "round"}
# By the middle part of the methods' names: the symbol and the op.
BINARY_OPERATORS: Final = {
    "and": ("&", "bitwise_and"),
    "divmod": ("", "divmod"),
    "floordiv": ("//", "floor_divide"),
    "lshift": ("<<", "bitwise_left_shift"),
    "mod": ("%", "remainder"),
    "or": ("|", "bitwise_or"),
    "rshift": (">>", "bitwise_right_shift"),
    "xor": ("^", "bitwise_xor"),
}


class Late:
    """An attribute of a class that is replaced by the function ``make(op)`` when it is first read.

    Args:
        name: of the attribute.
        target: the public name of the op or function.
        make: ``(op) -> function``.
        find: ``(public name) -> op``.
    """

    __slots__ = ("find", "make", "name", "owner", "target")

    def __init__(
        self, owner: type, name: str, target: str, make: Callable[[Any], Any], find: Callable[[str], Any]
    ) -> None:
        self.owner = owner
        self.name = name
        self.target = target
        self.make = make
        self.find = find

    def __get__(self, x: object, owner: type) -> Any:
        op = self.find(self.target)
        function = self.make(op)
        function.__name__ = self.name
        function.__qualname__ = f"{self.owner.__name__}.{self.name}"
        function.__doc__ = op.__doc__
        setattr(self.owner, self.name, function)
        return function if x is None else function.__get__(x, owner)


def method(op: Any) -> Any:
    """The method that calls ``op``."""
    if hasattr(op, "operate") and not op.attributes and len(op.operands) == 1:
        return unary(op)

    def call(self: Any, *args: Any, **attributes: Any) -> Any:
        return op(self, *args, **attributes)

    call.__wrapped__ = op  # type: ignore[attr-defined]  # inspect.signature shows the op's parameters
    return call


def spread(op: Any) -> Any:
    """The method that calls ``op``, and makes a tuple of several positional arguments."""

    def call(self: Any, *args: Any, **attributes: Any) -> Any:
        return op(self, *args, **attributes) if len(args) < 2 else op(self, args, **attributes)

    call.__wrapped__ = op  # type: ignore[attr-defined]  # inspect.signature shows the op's parameters
    return call


def unary(op: Any) -> Any:
    """The operator or method without arguments that calls ``op``."""
    return lambda self: op(self)


def binary(op: Any) -> Any:
    """The operator that calls ``op``."""
    operate = getattr(op, "operate", op)  # `operate` returns NotImplemented for an operand of an unknown type
    return lambda self, other: operate(self, other)


def reflected(op: Any) -> Any:
    """The operator with exchanged operands."""
    operate = getattr(op, "operate", op)
    return lambda self, other: operate(other, self)


def augmented(symbol: str) -> Callable[[Any], Any]:
    """The function that makes the operator of an augmented assignment, such as ``x //= 2``, of an op."""

    def make(op: Any) -> Any:
        def assign(self: Any, value: Any) -> Any:
            combine = getattr(self, "_combine", None)  # of a variable
            return op.operate(self, value) if combine is None else combine(symbol, op, value)

        return assign

    return make


def add_methods(tensor: type, find: Callable[[str], Any]) -> None:
    """Give the class Tensor, and with it Variable, the methods and operators of the tables.

    Args:
        tensor: the class Tensor.
        find: ``(public name) -> op or function``.
    """

    def add(name: str, target: str, make: Callable[[Any], Any]) -> None:
        setattr(tensor, name, Late(tensor, name, target, make, find))

    for name, target in METHODS.items():
        add(name, target, spread if name in SPREAD else method)
    for name, target in UNARY_OPERATORS.items():
        add(name, target, unary)
    for name, (symbol, target) in BINARY_OPERATORS.items():
        add(f"__{name}__", target, binary)
        add(f"__r{name}__", target, reflected)
        if symbol:
            add(f"__i{name}__", target, augmented(f"{symbol}="))
