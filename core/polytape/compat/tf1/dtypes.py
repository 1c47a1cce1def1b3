"""TensorFlow 1.7's dtype objects, each of which stands for a NumPy dtype object of polytape's."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from ...dtypes import DType as NumPyDType, lookup
from ...errors import DTypeError

__all__ = [
    "DType",
    "as_dtype",
    "bfloat16",
    "bool",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "qint8",
    "qint16",
    "qint32",
    "quint8",
    "quint16",
    "resource",
    "string",
    "tensor_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "variant",
]

# The numbers that TensorFlow's protocol buffers give to the dtypes.
ENUM: Final = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "complex64": 8, "int64": 9,
    "bool": 10, "qint8": 11, "quint8": 12, "qint32": 13, "bfloat16": 14, "qint16": 15, "quint16": 16, "uint16": 17,
    "complex128": 18, "float16": 19, "resource": 20, "variant": 21, "uint32": 22, "uint64": 23,
}  # fmt: skip
_ALIASES: Final = {"float": "float32", "double": "float64", "half": "float16", "int": "int32"}


class DType:
    """A dtype with TensorFlow's attributes; equal to the NumPy dtype, to its scalar type and to its name.

    polytape's functions and NumPy accept it as a dtype. ``tf.string`` and the quantized dtypes exist for comparisons
    only: tensors cannot have them.

    Args:
        name: TensorFlow's name of the dtype.
    """

    __slots__ = ("_name", "_numpy")

    def __init__(self, name: str) -> None:
        self._name = name
        self._numpy: NumPyDType | None = None

    @property
    def name(self) -> str:
        """The name, such as ``float32``."""
        return self._name

    @property
    def dtype(self) -> NumPyDType:
        """The NumPy dtype object. NumPy reads this attribute, so `np.dtype` accepts a DType."""
        if self._numpy is None:
            if self._name in ("string", "resource", "variant") or self._name.startswith(("qint", "quint")):
                raise DTypeError(
                    f"tensors cannot have the dtype tf.{self._name}.",
                    expected="bool, an integer, a floating or a complex dtype",
                    got=f"tf.{self._name}",
                    fix="keep strings in Python lists; quantize with integers and a scale of your own",
                )
            self._numpy = lookup(self._name)
        return self._numpy

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's scalar type: ``np.float32``; for strings ``np.object_``."""
        if self._name == "string":
            return np.dtype(object).type
        return _python_bool if self._name == "bool" else self.dtype.type

    @property
    def as_datatype_enum(self) -> int:
        """The number of the dtype in TensorFlow's protocol buffers."""
        return ENUM[self._name]

    @property
    def base_dtype(self) -> DType:
        """The dtype itself; of a reference dtype, the one that it refers to."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The dtype of the real part."""
        return {"complex64": float32, "complex128": float64}.get(self._name, self)

    @property
    def is_floating(self) -> Any:
        """Whether it is a real floating dtype."""
        return self._name in ("float16", "float32", "float64", "bfloat16")

    @property
    def is_integer(self) -> Any:
        """Whether it is an integer dtype that is not quantized."""
        return self._name.startswith(("int", "uint"))

    @property
    def is_complex(self) -> Any:
        """Whether it is a complex dtype."""
        return self._name.startswith("complex")

    @property
    def is_bool(self) -> Any:
        """Whether it is ``tf.bool``."""
        return self._name == "bool"

    @property
    def is_quantized(self) -> Any:
        """Whether it is a quantized dtype."""
        return self._name.startswith(("qint", "quint"))

    @property
    def is_unsigned(self) -> Any:
        """Whether it has no negative values."""
        return self._name.startswith("uint")

    @property
    def is_numpy_compatible(self) -> Any:
        """Whether NumPy arrays can have it."""
        return self._name not in ("resource", "variant")

    @property
    def size(self) -> int:
        """The size of an element in bytes."""
        return 1 if self._name in ("string", "resource", "variant") else self.dtype.itemsize

    @property
    def min(self) -> Any:
        """The smallest value.

        Raises:
            TypeError: the dtype has none: it is complex, bool or a string.
        """
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest value; errors as for `min`."""
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The smallest and the largest value that TensorFlow assumes in images: 0 and 1 for floating dtypes."""
        return (0, 1) if self.is_floating else (self.min, self.max)

    def _limit(self, name: str) -> Any:
        if self.is_integer:
            return getattr(np.iinfo(self.dtype), name)
        if self.is_floating:
            info: Any = np.finfo(self.dtype) if self._name != "bfloat16" else lookup_limits()
            return getattr(info, name)
        raise TypeError(f"Cannot find {name}imum value of {self!r}.")

    def is_compatible_with(self, other: Any) -> Any:
        """Whether a value of the dtype ``other`` can be used where this dtype is expected: only if they are equal."""
        return self == as_dtype(other)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, DType):
            return self._name == other._name
        if other is None:
            return False
        try:
            return self._name == as_dtype(other)._name
        except TypeError:
            return False

    def __ne__(self, other: object) -> Any:
        return not self == other

    def __hash__(self) -> int:
        try:
            return hash(self.dtype)  # equal objects need equal hashes, and a DType equals a NumPy dtype
        except DTypeError:
            return hash(self._name)

    def __int__(self) -> int:
        return ENUM[self._name]

    def __str__(self) -> str:
        return f"<dtype: {self._name!r}>"

    def __repr__(self) -> str:
        return f"tf.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self._name,)


class RefDType(DType):
    """The dtype of a graph's variables: equal to another one, but with a name that ends in ``_ref``."""

    __slots__ = ("_base",)

    def __init__(self, base: DType) -> None:
        super().__init__(base.name)
        self._base = base

    @property
    def name(self) -> str:
        """The name, such as ``float32_ref``."""
        return f"{self._base.name}_ref"

    @property
    def base_dtype(self) -> DType:
        """The dtype that it refers to."""
        return self._base

    @property
    def as_datatype_enum(self) -> int:
        """The number of the dtype in TensorFlow's protocol buffers."""
        return ENUM[self._base.name] + 100

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __eq__(self, other: object) -> Any:
        return super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()

    def __reduce__(self) -> tuple[Any, ...]:
        return ref_dtype, (self._base,)


@functools.cache
def ref_dtype(base: DType) -> DType:
    """The reference dtype of a dtype."""
    return RefDType(base)


def lookup_limits() -> Any:
    """The limits of bfloat16."""
    from ...inspection import finfo

    return finfo(lookup("bfloat16"))


_DTYPES: Final = {name: DType(name) for name in ENUM}
_by_number: Final = {number: _DTYPES[name] for name, number in ENUM.items()}

float16 = half = _DTYPES["float16"]
float32 = _DTYPES["float32"]
float64 = double = _DTYPES["float64"]
bfloat16 = _DTYPES["bfloat16"]
complex64 = _DTYPES["complex64"]
complex128 = _DTYPES["complex128"]
int8 = _DTYPES["int8"]
int16 = _DTYPES["int16"]
int32 = _DTYPES["int32"]
int64 = _DTYPES["int64"]
uint8 = _DTYPES["uint8"]
uint16 = _DTYPES["uint16"]
uint32 = _DTYPES["uint32"]
uint64 = _DTYPES["uint64"]
qint8 = _DTYPES["qint8"]
qint16 = _DTYPES["qint16"]
qint32 = _DTYPES["qint32"]
quint8 = _DTYPES["quint8"]
quint16 = _DTYPES["quint16"]
string = _DTYPES["string"]
resource = _DTYPES["resource"]
variant = _DTYPES["variant"]
_python_bool = bool
bool = _DTYPES["bool"]


def as_dtype(type_value: Any) -> DType:
    """The DType that ``type_value`` stands for: a DType, NumPy dtype or scalar type, name, or TensorFlow's number.

    Raises:
        TypeError: it stands for none.
    """
    if isinstance(type_value, DType):
        return type_value
    if isinstance(type_value, str):
        found = _DTYPES.get(_ALIASES.get(type_value, type_value))
    elif isinstance(type_value, int) and type_value.__class__ is int:
        found = _by_number.get(type_value)
    else:
        found = _from_numpy(type_value)
    if found is None:
        raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.")
    return found


def _from_numpy(value: Any) -> DType | None:
    try:
        dtype = np.dtype(value)
    except TypeError:
        return None
    if dtype.kind in "OSU":
        return string if (value is not None and dtype.kind != "O") or value in (object, np.dtype(object)) else None
    return _DTYPES.get(dtype.name)


@functools.cache
def tensor_dtype(dtype: NumPyDType) -> DType:
    """The DType of a tensor's dtype."""
    return _DTYPES[dtype.name]
