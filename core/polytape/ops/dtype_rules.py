"""Dtype rules, shared by the op declarations.

A dtype rule gets the operands' dtypes and the attributes it names, and returns the result's dtype. An error's summary
is completed with the op's name and operands.
"""

from __future__ import annotations

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from .declaration import states


@states(takes="any dtype", returns="same")
def same_dtype(x: DType, *others: DType) -> DType:
    """The first operand's."""
    return x


@states(takes="numeric", returns="same", rejects="bool")
def same_numeric(x: DType, *others: DType) -> DType:
    """The first operand's, which must be a number and no bool."""
    if dtypes.category(x) == dtypes.BOOL:
        raise DTypeError(
            "is not defined for bool.", expected="a numeric dtype", fix="cast it, for example to 'int32', first"
        )
    return x


@states(takes="real", returns="same", rejects="complex")
def same_real(x: DType, *others: DType) -> DType:
    """The first operand's, which must be ordered: no complex one."""
    if dtypes.category(x) == dtypes.COMPLEX:
        raise DTypeError(
            "has no order on complex numbers.", expected="a real dtype", fix="compare real parts or magnitudes"
        )
    return x


@states(takes="floating", returns="same", rejects="not floating")
def same_floating(x: DType, *others: DType) -> DType:
    """The first operand's, which must be floating (real or complex)."""
    if dtypes.category(x) < dtypes.FLOATING:
        raise DTypeError(
            "needs floating numbers.", expected="a floating dtype", fix="cast it with polytape.astype(x, 'float32')"
        )
    return x


@states(takes="real floating", returns="same", rejects="not real floating")
def same_real_floating(x: DType, *others: DType) -> DType:
    """The first operand's, which must be real floating."""
    return same_real(same_floating(x))


@states(takes="any dtype", returns="bool")
def truth(*operands: DType) -> DType:
    """bool, whatever the operands."""
    return dtypes.bool_


@states(takes="real", returns="bool", rejects="complex")
def ordered_truth(x: DType, *others: DType) -> DType:
    """bool, from operands that have an order."""
    same_real(x)
    return dtypes.bool_


@states(takes="bool", returns="bool", rejects="not bool")
def logical(x: DType, *others: DType) -> DType:
    """bool, from bool operands."""
    if x is not dtypes.bool_:
        raise DTypeError("takes truth values only.", expected="bool operands", fix="compare first, for example x != 0")
    return dtypes.bool_


@states(takes="real", returns="int64", rejects="complex")
def index_dtype(x: DType) -> DType:
    """int64, from operands that have an order."""
    same_real(x)
    return dtypes.int64


@states(takes="any dtype", returns="same")
def sum_dtype(x: DType, *, dtype: DType | None) -> DType:
    """The given one; else the operand's, small integers and bool widened to the default int32 (or uint32)."""
    if dtype is not None:
        return dtype
    if x.kind == "u":
        return x if x.itemsize >= 4 else dtypes.uint32
    if dtypes.category(x) < dtypes.FLOATING:
        return x if x.itemsize >= 4 else dtypes.int32
    return x


@states(takes="any dtype", returns="``dtype``", rejects="``dtype`` is not a dtype of tensors", dtype="the new dtype.")
def given_dtype(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``."""
    return dtype


@states(returns="``dtype``", rejects="``dtype`` is not real floating", dtype="of the result.")
def given_floating(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be real floating."""
    if dtypes.category(dtype) != dtypes.FLOATING:
        raise DTypeError(
            f"cannot give {dtype}.", expected="a real floating dtype", fix="draw float32 and cast the result"
        )
    return dtype


@states(returns="``dtype``", rejects="``dtype`` is not an integer dtype", dtype="of the result.")
def given_integer(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be an integer one."""
    if dtypes.category(dtype) != dtypes.INTEGER:
        raise DTypeError(f"cannot give {dtype}.", expected="an integer dtype", fix="draw int32 and cast the result")
    return dtype


@states(takes="any dtype", returns="same")
def joined_dtype(*arrays: DType) -> DType:
    """The operands', of which there must be one."""
    if not arrays:
        # Dtype rules run first, so this is where an empty list is met.
        raise ShapeError(
            "concat([]): nothing to join.", expected="at least one tensor", got="none", fix="pass a non-empty list"
        )
    return arrays[0]


@states(takes="any dtype", returns="same")
def second_dtype(x: DType, y: DType, *others: DType) -> DType:
    """The second operand's."""
    return y
