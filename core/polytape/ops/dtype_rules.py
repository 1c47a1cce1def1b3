"""Dtype rules, shared by the op declarations.

A dtype rule takes the operands' dtypes and the attributes that it reads, and returns the result's dtype. Core prefixes
the summary of an error with the op's name and operands.
"""

from __future__ import annotations

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from .declaration import states


@states(takes="any dtype", returns="same")
def same_dtype(x: DType, *others: DType) -> DType:
    """The first operand's dtype."""
    return x


@states(takes="numeric", returns="same", rejects="bool")
def same_numeric(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must not be bool."""
    if dtypes.category(x) == dtypes.BOOL:
        raise DTypeError(
            "is not defined for bool.", expected="a numeric dtype", fix="cast it first, for example to 'int32'"
        )
    return x


@states(takes="real", returns="same", rejects="complex")
def same_real(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must not be complex, since complex numbers have no order."""
    if dtypes.category(x) == dtypes.COMPLEX:
        raise DTypeError(
            "is not defined for complex numbers.", expected="a real dtype", fix="use the real parts or the magnitudes"
        )
    return x


@states(takes="real numeric", returns="same", rejects="bool or complex")
def same_real_number(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must be an integer or real floating dtype."""
    return same_real(same_numeric(x))


@states(takes="floating", returns="same", rejects="not floating")
def same_floating(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must be floating (real or complex)."""
    if dtypes.category(x) < dtypes.FLOATING:
        raise DTypeError(
            "needs floating-point numbers.",
            expected="a floating dtype",
            fix="cast it with polytape.astype(x, 'float32')",
        )
    return x


@states(takes="real floating", returns="same", rejects="not real floating")
def same_real_floating(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must be real floating."""
    return same_real(same_floating(x))


@states(takes="any dtype", returns="bool")
def truth(*operands: DType) -> DType:
    """bool for operands of any dtype."""
    return dtypes.bool_


@states(takes="real", returns="bool", rejects="complex")
def ordered_truth(x: DType, *others: DType) -> DType:
    """bool for real operands, which have an order."""
    same_real(x)
    return dtypes.bool_


@states(takes="bool", returns="bool", rejects="not bool")
def logical(x: DType, *others: DType) -> DType:
    """bool for bool operands."""
    if x is not dtypes.bool_:
        raise DTypeError("is defined only for bool.", expected="bool operands", fix="compare first, for example x != 0")
    return dtypes.bool_


@states(takes="integer or bool", returns="same", rejects="neither integer nor bool")
def same_bits(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must be an integer dtype or bool."""
    if dtypes.category(x) > dtypes.INTEGER:
        raise DTypeError(
            "is defined only for integers and bool.",
            expected="an integer dtype or bool",
            fix="cast it first, for example to 'int32'",
        )
    return x


@states(takes="integer", returns="same", rejects="not an integer")
def same_integer(x: DType, *others: DType) -> DType:
    """The first operand's dtype, which must be an integer dtype."""
    if dtypes.category(x) != dtypes.INTEGER:
        raise DTypeError(
            "is defined only for integers.", expected="an integer dtype", fix="cast it first, for example to 'int32'"
        )
    return x


@states(takes="complex", returns="the real dtype of the same precision", rejects="not complex")
def part_of_complex(x: DType) -> DType:
    """The dtype of the real and imaginary parts."""
    if dtypes.category(x) != dtypes.COMPLEX:
        raise DTypeError(
            "is defined only for complex numbers.", expected="a complex dtype", fix="use the real tensor itself"
        )
    return real_part(x)


def real_part(x: DType) -> DType:
    """The real dtype of the same precision as a complex one; any other dtype itself."""
    return {"complex64": dtypes.float32, "complex128": dtypes.float64}.get(x.name, x)


@states(takes="numeric", returns="the dtype of the parts", rejects="bool")
def magnitude(x: DType) -> DType:
    """The dtype of absolute values: that of the operand, or of a complex operand's parts."""
    return real_part(same_numeric(x))


@states(takes="floating", returns="the dtype of the parts", rejects="not floating")
def floating_magnitude(x: DType) -> DType:
    """Like `magnitude`, for floating operands."""
    return real_part(same_floating(x))


@states(takes="real", returns="int64", rejects="complex")
def index_dtype(x: DType) -> DType:
    """int64 for a real operand, whose elements have an order."""
    same_real(x)
    return dtypes.int64


@states(takes="any dtype", returns="same")
def sum_dtype(x: DType, *, dtype: DType | None) -> DType:
    """The attribute ``dtype``; if it is None, the operand's dtype, or int32 or uint32 for bool and small integers.

    More precisely, the default integer dtype, or the unsigned one of the same size.
    """
    if dtype is not None:
        return given_dtype(x, dtype=dtype)
    default = dtypes.defaults.integer
    if dtypes.category(x) >= dtypes.FLOATING or (x.itemsize >= default.itemsize and x.kind != "b"):
        return x
    return dtypes.lookup(f"u{default.name}") if x.kind == "u" else default


@states(
    takes="any dtype",
    returns="``dtype``",
    rejects="``dtype`` is not a tensor dtype, or it is real and the operand is complex",
    dtype="the new dtype.",
)
def given_dtype(x: DType, *, dtype: DType) -> DType:
    """The attribute ``dtype``; a complex operand does not become real (array API standard 2025.12, ``astype``)."""
    if dtypes.category(x) == dtypes.COMPLEX and dtypes.category(dtype) in (dtypes.INTEGER, dtypes.FLOATING):
        raise DTypeError(
            f"cannot convert complex numbers to {dtype}, which would drop their imaginary parts.",
            expected="a complex dtype or bool",
            fix="take the part you need on the host, for example x.numpy().real",
        )
    return dtype


@states(returns="``dtype``", rejects="``dtype`` is not real floating", dtype="of the result.")
def given_floating(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be real floating."""
    if dtypes.category(dtype) != dtypes.FLOATING:
        raise DTypeError(
            f"cannot draw {dtype}.", expected="a real floating dtype", fix="draw float32 and cast the result"
        )
    return dtype


@states(returns="``dtype``", rejects="``dtype`` is not an integer dtype", dtype="of the result.")
def given_integer(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be an integer dtype."""
    if dtypes.category(dtype) != dtypes.INTEGER:
        raise DTypeError(f"cannot draw {dtype}.", expected="an integer dtype", fix="draw int32 and cast the result")
    return dtype


@states(takes="any dtype", returns="same")
def joined_dtype(*arrays: DType) -> DType:
    """The operands' dtype; there must be at least one operand."""
    if not arrays:
        # Dtype rules run before shape rules, so an empty list is rejected here.
        raise ShapeError(
            "concat([]): nothing to join.", expected="at least one tensor", got="none", fix="pass a non-empty list"
        )
    return arrays[0]


@states(takes="any dtype", returns="same")
def second_dtype(x: DType, y: DType, *others: DType) -> DType:
    """The second operand's dtype."""
    return y
