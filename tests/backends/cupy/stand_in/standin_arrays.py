"""`cupy.ndarray` and `cupy.ufunc` of the stand-in: computed by NumPy, as strict as cupy.

As in cupy, arrays are converted to and from NumPy arrays only by explicit calls; every function returns arrays, also of
rank 0; operands must be on the current device; index arrays that are out of range wrap around.
"""

from __future__ import annotations

import operator
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import standin_cuda as cuda

SCALARS = (bool, int, float, complex, np.generic)
Host = np.ndarray[Any, Any]
# The dtypes that cupy adds atomically.
ATOMIC = ("int32", "uint32", "uint64", "float16", "float32", "float64")


class ndarray:
    """An array on one of the simulated devices."""

    __array_priority__ = 100
    __slots__ = ("_host", "_mem", "base")

    def __init__(self, shape: Any, dtype: Any = float) -> None:
        self._host: Host = np.empty(shape, dtype)
        self._mem = cuda.PooledMemory(self._host.nbytes)
        self.base: ndarray | None = None

    # --- attributes ---
    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    device = property(lambda self: cuda.Device(self._mem.device_id))
    data = property(lambda self: cuda.MemoryPointer(self._mem, self._host.ctypes.data))
    T = property(lambda self: self.transpose())
    real = property(
        lambda self: view(self, operand(self).real), lambda self, part: setattr(operand(self), "real", operand(part))
    )
    imag = property(
        lambda self: view(self, operand(self).imag), lambda self, part: setattr(operand(self), "imag", operand(part))
    )

    @property
    def flags(self) -> Any:
        flags = self._host.flags
        return SimpleNamespace(
            c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=self.base is None
        )

    # --- conversion to the host, only explicitly ---
    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, self._mem.device_id)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        # Stands for a capsule, in which a real one would keep the array.
        return SimpleNamespace(array=self, stream=stream, max_version=max_version)

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> Host:
        (cuda.get_current_stream() if stream is None else stream).synchronize()
        host: Host = np.array(self._host, order=order, copy=True)  # type: ignore[call-overload]
        memory = self._mem
        if isinstance(memory, cuda.PooledMemory) and memory.writer.finished < memory.position and host.ndim:
            host.view(np.uint8).fill(0xFF)
        return host

    def item(self) -> Any:
        return self._host.item()

    def tolist(self) -> Any:
        return self._host.tolist()

    def __bool__(self) -> bool:
        return bool(self._host)

    def __int__(self) -> int:
        return int(self._host.item())

    def __float__(self) -> float:
        return float(self._host.item())

    def __complex__(self) -> complex:
        return complex(self._host.item())

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return repr(self._host)

    __hash__ = None  # type: ignore[assignment]

    # --- shapes, copies ---
    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> ndarray:
        return view(self, operand(self).reshape(*shape, order=order))

    def transpose(self, *axes: Any) -> ndarray:
        return view(self, operand(self).transpose(*axes))

    def view(self, dtype: Any = None, type: Any = None) -> ndarray:
        return view(self, operand(self).view(self.dtype if dtype is None else dtype))

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: bool = True
    ) -> ndarray:
        if not copy and self.dtype == np.dtype(dtype):
            return self
        with np.errstate(all="ignore"):
            return fresh(operand(self).astype(dtype))

    def copy(self, order: str = "C") -> ndarray:
        return fresh(self._host)  # on the current device; the source may be on another one

    def fill(self, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        operand(self).fill(value.item() if isinstance(value, np.ndarray) else operand(value))

    # --- indexing ---
    def __getitem__(self, key: Any) -> ndarray:
        host, index = operand(self), _index(self._host, key)
        return view(self, host[index])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        host, index = operand(self), _index(self._host, key)
        with np.errstate(all="ignore"):
            # cupy assigns in any order: here in reverse, so that tests detect a kernel that expects the last value.
            positions = np.arange(host.size).reshape(host.shape)[index]
            values = np.broadcast_to(operand(value), positions.shape)
            host.flat[positions.reshape(-1)[::-1]] = values.reshape(-1)[::-1]

    def take(self, indices: Any, axis: int | None = None, out: Any = None) -> ndarray:
        return fresh(np.take(operand(self), operand(indices), axis, mode="wrap"))

    # --- reductions and products ---
    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        host = operand(self)
        if host.dtype == "float32" and (dtype is None or dtype == "float32"):
            # cupy adds in a tree, so the error does not grow with the size.
            return fresh(np.asarray(host.sum(axis, "float64", None, keepdims)).astype("float32"))
        return fresh(host.sum(axis, dtype, None, keepdims))

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).mean(axis, dtype, None, keepdims))

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).max(axis, None, keepdims))

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).min(axis, None, keepdims))

    def any(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).any(axis, keepdims=keepdims))

    def all(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).all(axis, keepdims=keepdims))

    def argmax(self, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).argmax(axis, None, keepdims=keepdims))

    def argmin(self, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).argmin(axis, None, keepdims=keepdims))

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        return fresh(operand(self).prod(axis, dtype, None, keepdims))

    def nonzero(self) -> tuple[ndarray, ...]:
        return tuple(fresh(places) for places in operand(self).nonzero())

    def conj(self) -> ndarray:
        return fresh(operand(self).conj())

    def dot(self, b: Any, out: Any = None) -> ndarray:
        if not isinstance(b, ndarray):
            raise TypeError(f"Argument 'b' has incorrect type (expected ndarray, got {type(b).__name__})")
        return fresh(operand(self).dot(operand(b)))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = ufuncs.get(ufunc.__name__)
        return NotImplemented if function is None or method != "__call__" else function(*inputs, **kwargs)


def operand(x: Any) -> Any:
    """The host data of an operand, which must be an array on the current device or a scalar.

    Raises:
        TypeError: another type, such as a NumPy array.
        ValueError: an array on another device.
    """
    if isinstance(x, ndarray):
        if x._mem.device_id != cuda.current():
            raise ValueError(
                f"The device where the array resides ({x._mem.device_id}) is different from the current device "
                f"({cuda.current()}). Peer access is unavailable between these devices."
            )
        return x._host
    if isinstance(x, SCALARS):
        return x
    raise TypeError(f"Unsupported type {type(x)}")


def fresh(host: Any) -> ndarray:
    """A new array on the current device, with a copy of ``host``."""
    result = ndarray.__new__(ndarray)
    result._host = np.array(host, order="C", copy=True)
    result._mem, result.base = cuda.PooledMemory(result._host.nbytes), None
    return result


def view(of: ndarray, host: Any) -> ndarray:
    """``host`` as a view of ``of`` if they share memory, otherwise as a new array."""
    if not isinstance(host, np.ndarray) or not np.may_share_memory(host, of._host):
        return fresh(host)
    result = ndarray.__new__(ndarray)
    result._host, result._mem, result.base = host, of._mem, of if of.base is None else of.base
    return result


def _index(host: Host, key: Any) -> Any:
    """The NumPy index for ``key``; index arrays must be on the device, and wrap around."""
    parts = list(key) if isinstance(key, tuple) else [key]
    spans = [part._host.ndim if isinstance(part, ndarray) and part.dtype.kind == "b" else 1 for part in parts]
    spans = [0 if part is None or part is Ellipsis else n for part, n in zip(parts, spans, strict=True)]
    axis = 0
    for k, part in enumerate(parts):
        if part is Ellipsis:
            axis += host.ndim - sum(spans)
        elif isinstance(part, ndarray):
            indices = operand(part)
            wraps = indices.dtype.kind in "iu" and axis < host.ndim and host.shape[axis]
            parts[k] = indices % host.shape[axis] if wraps else indices
        elif isinstance(part, np.ndarray | list):
            raise TypeError("an index array on the host, which cupy would silently copy to the device")
        axis += spans[k]
    return tuple(parts)


_AT = {
    "cupy_add": ("scatter_add", ATOMIC),
    "cupy_maximum": ("scatter_max", tuple(name for name in ATOMIC if name != "float16")),
}


class ufunc:
    """An elementwise function."""

    def __init__(self, name: str, numpy_ufunc: Any) -> None:
        self.name, self._numpy_ufunc, self.nin, self.nout = name, numpy_ufunc, numpy_ufunc.nin, numpy_ufunc.nout

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"

    def __call__(
        self, *args: Any, out: Any = None, where: Any = None, casting: str = "same_kind", dtype: Any = None
    ) -> ndarray:
        if len(args) > self.nin:
            args, out = args[: self.nin], args[self.nin]
        if isinstance(out, tuple):
            (out,) = out
        if out is not None and not isinstance(out, ndarray):
            raise TypeError("Output arguments type must be cupy.ndarray")
        hosts = [operand(x) for x in args]
        with np.errstate(all="ignore"):
            host_out = None if out is None else operand(out)
            if self.name == "cupy_power" and all(np.asarray(host).dtype.kind in "bui" for host in hosts):
                result = _integral_power(*hosts)
            elif self.name == "cupy_power" and host_out is None and dtype is None:
                result = _power(*hosts)
            else:
                result = self._numpy_ufunc(*hosts, out=host_out, casting=casting, dtype=dtype)
        return fresh(result) if out is None else out

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        if self.name == "cupy_add":
            result: ndarray = array.sum(axis, dtype, out, keepdims)
            return result
        raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        if self.name not in _AT:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        scatter, names = _AT[self.name]
        if a.dtype.name not in names:
            raise TypeError(f"{scatter} only supports {', '.join(names)}, as data type")
        self._numpy_ufunc.at(operand(a), _index(a._host, indices), operand(b))


def _power(base: Any, exponent: Any) -> Any:
    """C's pow, as on a GPU. NumPy takes the square root if the exponent is the number 0.5, also of -0 and of -inf."""
    result = np.power(base, exponent)
    odd = np.equal(exponent, 0.5) & (np.equal(base, 0) | np.equal(base, -np.inf))
    return np.where(odd, np.abs(base), result).astype(result.dtype)


def _integral_power(base: Any, exponent: Any) -> Any:
    """A power of integers, which cupy also computes for negative exponents: the quotient without its fraction."""
    negative = np.less(exponent, 0)
    power = np.power(base, np.where(negative, 0, exponent).astype(np.asarray(exponent).dtype))
    inverse = np.where(np.equal(base, -1), np.where(np.bitwise_and(exponent, 1), -1, 1), np.equal(base, 1))
    return np.where(negative, inverse, power).astype(power.dtype)


def _named(public: str) -> ufunc:
    inner = {"divide": "true_divide", "abs": "absolute"}.get(public, public)
    return ufunc(f"cupy_{inner}", getattr(np, public))


ufuncs = {
    name: _named(name)
    for name in (
        "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "negative", "square", "abs", "sign",
        "exp", "log", "log1p", "tanh", "sqrt", "cos", "sin", "equal", "not_equal", "less", "less_equal", "greater",
        "greater_equal", "logical_and", "logical_or", "logical_not", "isfinite", "bitwise_and", "bitwise_or",
        "bitwise_xor", "left_shift", "right_shift", "remainder", "invert", "isnan", "isinf", "logical_xor", "floor",
        "ceil", "trunc", "rint", "expm1", "fmod", "floor_divide", "arctan2", "copysign", "signbit", "sinh", "cosh",
        "tan",
        "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "hypot", "log2", "log10", "exp2", "cbrt",
        "logaddexp", "nextafter", "heaviside", "gcd", "lcm", "deg2rad", "rad2deg",
    )
}  # fmt: skip

_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "mod": "remainder",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
}  # fmt: skip
_COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip


def _add_operators() -> None:
    for short, name in _OPERATORS.items():
        function = ufuncs[name]
        setattr(ndarray, f"__{short}__", lambda self, other, function=function: function(self, other))
        setattr(ndarray, f"__r{short}__", lambda self, other, function=function: function(other, self))
        setattr(ndarray, f"__i{short}__", lambda self, other, function=function: function(self, other, out=self))
    for short, name in _COMPARISONS.items():
        setattr(ndarray, f"__{short}__", lambda self, other, function=ufuncs[name]: function(self, other))
    for short, name in (("neg", "negative"), ("abs", "abs")):
        setattr(ndarray, f"__{short}__", lambda self, function=ufuncs[name]: function(self))
    ndarray.__matmul__ = lambda self, other: fresh(operator.matmul(operand(self), operand(other)))  # type: ignore[attr-defined]


_add_operators()
