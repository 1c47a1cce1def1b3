"""The arguments of draws: parameters and their ranges, the result's shape, dtype and device."""

from __future__ import annotations

from math import inf, isfinite, prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .. import dtypes
from ..dispatch import convert
from ..errors import DTypeError, PolytapeError, SettingError, ShapeError
from ..ops.families import find
from ..placement import selection
from ..registry import tables
from ..registry.tensor_type import get_tensor_type
from ..tensors.tensor import Tensor
from .generator import Generator, chosen

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType

__all__ = [
    "ANY",
    "CHANCE",
    "COUNT",
    "EXTENDED",
    "NONNEGATIVE",
    "POSITIVE",
    "PROBABILITY",
    "Domain",
    "Draw",
    "Parameter",
    "Shape",
    "number",
    "ops",
    "vectors",
]

Shape = int | tuple[int, ...] | list[int]
Parameter = Any  # a number, a tensor or what `polytape.asarray` makes one of


class _Ops:
    """The public ops of polytape by name; a family loads when one of its ops is first used."""

    def __getattr__(self, name: str) -> Any:
        return find("", name)


ops: Final[Any] = _Ops()


class Domain:
    """The range of a parameter.

    Args:
        expected: the range in words.
        low, high: its bounds.
        open: whether ``low`` is outside.
        whole: whether only whole numbers are in it.
        infinite: whether infinities may be in it.
    """

    def __init__(
        self,
        expected: str,
        low: float = -inf,
        high: float = inf,
        *,
        open: bool = False,
        whole: bool = False,
        infinite: bool = False,
    ) -> None:
        self.expected, self.low, self.high = expected, low, high
        self.open, self.whole, self.infinite = open, whole, infinite

    def has(self, value: float) -> bool:
        """Whether a number is in the range."""
        if not (self.infinite or isfinite(value)) or (self.whole and value != int(value)):
            return False
        return (self.low < value if self.open else self.low <= value) and value <= self.high

    def masked(self, x: Tensor) -> Any:
        """``x`` with NaN in place of the elements outside the range; infinities stay."""
        if self.low == -inf:
            return x
        inside = ops.greater(x, self.low) if self.open else ops.greater_equal(x, self.low)
        if self.high < inf:
            inside = ops.logical_and(inside, ops.less_equal(x, self.high))
        if self.whole:
            inside = ops.logical_and(inside, ops.equal(x, ops.floor(x)))
        return ops.where(inside, x, float("nan"))


ANY: Final = Domain("a finite number")
EXTENDED: Final = Domain("a number", infinite=True)
COUNT: Final = Domain("a whole number, 0 or more", 0.0, whole=True)
NONNEGATIVE: Final = Domain("a finite number, 0 or more", 0.0)
POSITIVE: Final = Domain("a finite number above 0", 0.0, open=True)
PROBABILITY: Final = Domain("from 0 to 1", 0.0, 1.0)
CHANCE: Final = Domain("above 0, at most 1", 0.0, 1.0, open=True)


def number(name: str, argument: str, value: Any, domain: Domain = ANY) -> float:
    """A Python number of this range, as a float."""
    if isinstance(value, (str, bytes, complex)) or not hasattr(value, "__float__"):
        raise DTypeError(
            f"{name} cannot use {value!r} as {argument}.",
            expected="a real number",
            got=f"{value!r} of type {type(value).__name__}",
            fix="pass a number, or a tensor of real numbers",
        )
    result = float(value)
    if not domain.has(result):
        raise SettingError(
            f"{name} cannot use {argument}={value}.", expected=domain.expected, got=repr(value), fix="change it"
        )
    return result


def _parameter(name: str, argument: str, value: Any, domain: Domain) -> float | Tensor:
    if not isinstance(value, (Tensor, np.ndarray, list, tuple)):
        return number(name, argument, value, domain)
    x = convert.asarray(value)
    if dtypes.category(x.dtype) == dtypes.COMPLEX:
        raise DTypeError(
            f"{name} cannot use complex numbers as {argument}.", expected="real numbers", got=str(x.dtype), fix="cast"
        )
    return x


class Draw:
    """The checked arguments of one draw. Nothing is taken from the generator before all arguments are checked.

    Args:
        name: of the function.
        shape: of the result; None for the shape that the parameters broadcast to.
        dtype: of the result; None for the promoted dtype of the parameters, float32 for numbers and integers.
        device: of the result; None for that of the parameters, or where new tensors go.
        generator: None for the default one.
        category: the category of dtypes that the result may have; None for any.
        parameters: by name, each with its range.

    Attributes:
        extents: the result's shape.
        dtype: the result's dtype.
        work: the dtype to compute in, float32 or float64.
        values: the parameters, as floats or as tensors of the dtype ``work``, with NaN outside the range.
        tensors: whether a parameter is a tensor.
    """

    def __init__(
        self,
        name: str,
        shape: Shape | None,
        dtype: Any,
        device: Device | str | None,
        generator: Generator | None,
        category: int | None = dtypes.FLOATING,
        **parameters: tuple[Parameter, Domain],
    ) -> None:
        values = [_parameter(name, argument, *parameter) for argument, parameter in parameters.items()]
        given = [value for value in values if isinstance(value, Tensor)]
        floating = [x.dtype for x in given if dtypes.category(x.dtype) == dtypes.FLOATING]
        promoted: DType = dtypes.defaults.floating if not floating else floating[0]
        for other in floating[1:]:
            promoted = dtypes.promote(promoted, other)
        self.dtype = _result_dtype(promoted if dtype is None else dtype, category)
        self.device = given[0].device if device is None and given else selection.resolve_device(device)
        # Raises if the device has no such dtype.
        get_tensor_type(selection.backend_of(self.device), self.device, self.dtype)
        wide = self.dtype if dtypes.category(self.dtype) == dtypes.FLOATING else promoted
        self.work: DType = dtypes.float64 if wide is dtypes.float64 else dtypes.float32
        self.extents = result_shape(name, shape, [x.shape for x in given])
        self.tensors = bool(given)
        self.generator = chosen(generator)
        self.values: list[Any] = [
            domain.masked(ops.astype(value, self.work)) if isinstance(value, Tensor) else value
            for value, (_, domain) in zip(values, parameters.values(), strict=True)
        ]

    def run(self, name: str, words: int, *operands: Any, **attributes: Any) -> Any:
        """The result of an op of the generator's state, for which the counter moves past so many words."""
        op: Any = tables.get_op(name)
        return op(self.generator.take(words), *operands, **attributes)

    def basic(self, name: str, dtype: DType, extents: tuple[int, ...] | None = None) -> Any:
        """The numbers of ``random_uniform`` or ``random_normal``."""
        extents = self.extents if extents is None else extents
        n = prod(extents) if name == "random_uniform" else 2 * -(-prod(extents) // 2)
        words = n * (2 if dtype is dtypes.float64 else 1)
        return self.run(name, words, shape=extents, dtype=dtype, device=self.device)

    def unit(self, extents: tuple[int, ...] | None = None) -> Any:
        """Uniform numbers in (0, 1), of the dtype ``work``; they are multiples of the smallest one."""
        smallest = 2.0**-53 if self.work is dtypes.float64 else 2.0**-24
        return ops.maximum(self.basic("random_uniform", self.work, extents), smallest)

    def rejected(self, name: str, *parameters: Any, extents: tuple[int, ...] | None = None, **attributes: Any) -> Any:
        """The numbers of an op that draws by rejection; see `polytape.ops.distributions`."""
        extents = self.extents if extents is None else extents
        blocks = 2 if name == "random_gamma" and self.work is dtypes.float64 else 1
        full = [self.spread(parameter, extents) for parameter in parameters]
        return self.run(name, 4 * blocks * prod(extents), *full, **attributes)

    def spread(self, parameter: Any, extents: tuple[int, ...] | None = None) -> Any:
        """A parameter as a tensor of the result's shape, or of another one."""
        extents = self.extents if extents is None else extents
        if isinstance(parameter, Tensor):
            return parameter if parameter.shape == extents else ops.broadcast_to(parameter, extents)
        return ops.full(extents, float(parameter), dtype=self.work, device=self.device)

    def result(self, y: Any) -> Tensor:
        """``y`` in the result's dtype."""
        result: Tensor = y if y.dtype is self.dtype else ops.astype(y, self.dtype)
        return result

    def counts(self, y: Any) -> Tensor:
        """Whole numbers in the result's integer dtype: NaN becomes -1, and larger numbers the largest one."""
        if self.tensors:
            y = ops.where(ops.equal(y, y), y, -1.0)
        y = ops.astype(ops.minimum(y, 2.0**63 - 2.0**39), dtypes.int64)  # the largest number of both dtypes
        largest = np.iinfo(self.dtype).max
        return self.result(ops.minimum(y, int(largest)) if largest < 2**63 - 1 else y)


def vectors(
    name: str,
    argument: str,
    value: Parameter,
    shape: Shape | None,
    domain: Domain,
    dtype: Any,
    device: Device | str | None,
    generator: Generator | None,
    category: int | None = dtypes.FLOATING,
) -> Draw:
    """A draw with a parameter of vectors along its last axis, whose leading axes broadcast to ``shape``."""
    from ..ops.shape_rules import as_shape

    x = value if isinstance(value, Tensor) else convert.asarray(value, device=device)
    if not x.shape or x.shape[-1] == 0:
        raise ShapeError(
            f"{name} needs vectors as {argument}.",
            expected="a last axis with elements",
            got=f"shape {x.shape}",
            fix="pass a list of numbers",
        )
    extents = None if shape is None else (*as_shape(shape), x.shape[-1])
    return Draw(name, extents, dtype, device, generator, category, **{argument: (x, domain)})


def _result_dtype(given: Any, category: int | None) -> DType:
    dtype = dtypes.lookup(given)
    if category is not None and dtypes.category(dtype) != category:
        integer = category == dtypes.INTEGER
        raise DTypeError(
            f"cannot draw random numbers of {dtype} here.",
            expected=f"{'an integer' if integer else 'a real floating'} dtype",
            got=str(dtype),
            fix="cast the result" if integer else "use polytape.random.integers",
        )
    return dtype


def result_shape(name: str, shape: Shape | None, given: list[tuple[int, ...]]) -> tuple[int, ...]:
    """``shape``, to which the parameters must broadcast, or the shape that they broadcast to."""
    from ..ops.shape_rules import as_shape, broadcast

    extents = None if shape is None else as_shape(shape)
    if not given:
        return extents or ()
    try:
        together = broadcast((), *given)
        if extents is None:
            return together
        if broadcast(extents, together) == extents:
            return extents
    except PolytapeError:
        pass
    raise ShapeError(
        f"{name}: the shapes of the parameters do not broadcast{'' if extents is None else f' to {extents}'}.",
        expected="from the right, sizes that are equal or 1",
        got=", ".join(map(str, given)),
        fix="reshape the parameters, or pass the shape of the result",
    )
