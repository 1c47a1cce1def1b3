"""Complex numbers and their parts, elementwise.

The gradient of a real function L by a complex number is ``dL/dRe + i dL/dIm``.
"""

from __future__ import annotations

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import converted, op, primitive, states

__all__ = ["angle", "conj", "imag", "real"]


@states(takes="real floating", returns="the complex dtype of the same precision", rejects="half precision")
def _joined_dtype(real: DType, imag: DType) -> DType:
    joined = {"float32": dtypes.complex64, "float64": dtypes.complex128}.get(real.name)
    if joined is None:
        raise DTypeError(
            "there is no complex dtype of this precision.",
            expected="float32 or float64",
            fix="cast the parts first, for example to 'float32'",
        )
    return joined


@op(dtype=_joined_dtype, shape=shape_rules.broadcast, elementwise=True, internal="complex gradients")
def complex_(real: TensorLike, imag: TensorLike, /) -> Tensor:
    """The complex number ``real + i imag``, elementwise; no arithmetic is done on the parts.

    Source:
        StableHLO 1.0, ``complex``.
    """
    return primitive()


def is_complex(x: Tensor) -> bool:
    """Whether the dtype is complex."""
    return dtypes.category(x.dtype) == dtypes.COMPLEX


@op(dtype=dtype_rules.magnitude, shape=shape_rules.same_shape, elementwise=True)
def real(x: TensorLike, /) -> Tensor:
    """The real part, elementwise; a real ``x`` itself."""
    return primitive()


real.gradient(x=lambda g, x: complex_(g, 0.0) if is_complex(x) else g)


@op(dtype=dtype_rules.magnitude, shape=shape_rules.same_shape, elementwise=True)
def imag(x: TensorLike, /) -> Tensor:
    """The imaginary part, elementwise; 0 for a real ``x``."""
    return primitive()


imag.gradient(x=lambda g, x: complex_(0.0, g) if is_complex(x) else g * 0.0)
complex_.gradient(real=lambda g: real(g), imag=lambda g: imag(g))


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def conj(x: TensorLike, /) -> Tensor:
    """The complex conjugate, elementwise; a real ``x`` itself."""
    x = converted(x)
    return complex_(real(x), -imag(x)) if is_complex(x) else x


conj.gradient(x=lambda g: conj(g))


@op(dtype=dtype_rules.floating_magnitude, shape=shape_rules.same_shape, elementwise=True, floating=True)
def angle(x: TensorLike, /) -> Tensor:
    """The angle between a complex number and the positive real axis, elementwise.

    Returns:
        The shape of ``x``; radians, from -pi to pi.
    Source:
        NumPy, ``angle``.
    """
    from .trigonometric import atan2

    x = converted(x)
    return atan2(imag(x), real(x))
