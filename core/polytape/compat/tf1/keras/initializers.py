"""TensorFlow 1.7's ``tf.keras.initializers``, over `polytape.nn.initializers`.

The defaults are those of TensorFlow 1.7, such as a range from 0 to 1, which Keras itself and later versions changed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....nn import initializers as native
from ....nn.variance_scaling import Initializer
from ....random import Generator
from .lookup import NamedObjects, described

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "serialize",
]


def _generator(seed: int | None) -> Generator | None:
    return None if seed is None else Generator(seed)


class _Configured(Initializer):
    """An initializer that knows the arguments it was made with."""

    def __init__(self, inner: Any, **config: Any) -> None:
        self._inner, self._config = inner, config

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """The values; see `polytape.nn.initializers.Initializer`."""
        return self._inner(tuple(int(size) for size in shape), dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return dict(self._config)


class Zeros(_Configured):
    """All elements are 0."""

    def __init__(self, dtype: Any = None) -> None:
        super().__init__(native.Zeros())


class Ones(_Configured):
    """All elements are 1."""

    def __init__(self, dtype: Any = None) -> None:
        super().__init__(native.Ones())


class Constant(_Configured):
    """Given elements: a number, or an array that is reshaped.

    Args:
        value: the elements; a shorter list is filled up with its last.
    """

    def __init__(self, value: Any = 0, dtype: Any = None, verify_shape: bool = False) -> None:
        super().__init__(self._values, value=value)
        self._value = value

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Any:
        flat = np.asarray(self._value).reshape(-1).tolist()
        count = math.prod(shape)
        if len(flat) > count:
            raise ValueError(f"Too many elements provided. Needed at most {count}, but received {len(flat)}")
        filled = [*flat, *flat[-1:] * (count - len(flat))]
        return native.Constant(np.asarray(filled).reshape(shape))(shape, dtype)


class RandomUniform(_Configured):
    """Uniform random numbers.

    Args:
        minval, maxval: the range.
        seed: default: the process's default generator.
    """

    def __init__(self, minval: float = 0.0, maxval: float = 1.0, seed: int | None = None, dtype: Any = None) -> None:
        inner = native.Uniform(minval, maxval, generator=_generator(seed))
        super().__init__(inner, minval=minval, maxval=maxval, seed=seed)


class RandomNormal(_Configured):
    """Normal random numbers.

    Args:
        mean, stddev: of the distribution.
        seed: default: the process's default generator.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = None) -> None:
        super().__init__(native.Normal(mean, stddev, generator=_generator(seed)), mean=mean, stddev=stddev, seed=seed)


class TruncatedNormal(_Configured):
    """Normal random numbers at most two standard deviations from the mean; the arguments are `RandomNormal`'s."""

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = None) -> None:
        super().__init__(
            native.TruncatedNormal(mean, stddev, generator=_generator(seed)), mean=mean, stddev=stddev, seed=seed
        )


class VarianceScaling(_Configured):
    """Random numbers whose variance follows from the numbers of inputs and outputs.

    In TensorFlow 1.7 the normal distribution is truncated, and its variance is not corrected for that.

    Args:
        scale: the numerator of the variance.
        mode: "fan_in", "fan_out" or "fan_avg", its denominator.
        distribution: "normal" or "uniform".
        seed: default: the process's default generator.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "normal",
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        normal = distribution == "normal"
        # polytape divides by the truncated distribution's deviation; TensorFlow 1.7 does not.
        factor = _TRUNCATED_DEVIATION**2 if normal else 1.0
        inner = native.VarianceScaling(
            scale * factor, mode, "truncated_normal" if normal else distribution, generator=_generator(seed)
        )
        super().__init__(inner, scale=scale, mode=mode, distribution=distribution, seed=seed)


_TRUNCATED_DEVIATION = 0.87962566103423978  # of a standard normal distribution truncated at -2 and 2


class Orthogonal(_Configured):
    """A matrix with orthonormal rows or columns.

    Args:
        gain: a factor.
        seed: default: the process's default generator.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = None) -> None:
        super().__init__(native.Orthogonal(gain, generator=_generator(seed)), gain=gain, seed=seed)


class Identity(_Configured):
    """The identity matrix.

    Args:
        gain: a factor.
    """

    def __init__(self, gain: float = 1.0, dtype: Any = None) -> None:
        super().__init__(native.Identity(gain), gain=gain)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(1.0, "fan_in", "normal")``."""
    return VarianceScaling(1.0, "fan_in", "normal", seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(1.0, "fan_in", "uniform")``."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(1.0, "fan_avg", "normal")``."""
    return VarianceScaling(1.0, "fan_avg", "normal", seed)


def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(1.0, "fan_avg", "uniform")``."""
    return VarianceScaling(1.0, "fan_avg", "uniform", seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(2.0, "fan_in", "normal")``."""
    return VarianceScaling(2.0, "fan_in", "normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """``VarianceScaling(2.0, "fan_in", "uniform")``."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


_OBJECTS = NamedObjects(
    "initializer",
    {
        **{cls.__name__: cls for cls in (Constant, Identity, Ones, Orthogonal, TruncatedNormal, Zeros)},
        "VarianceScaling": VarianceScaling,
        "RandomNormal": RandomNormal,
        "RandomUniform": RandomUniform,
        "constant": Constant,
        "identity": Identity,
        "normal": RandomNormal,
        "one": Ones,
        "ones": Ones,
        "orthogonal": Orthogonal,
        "random_normal": RandomNormal,
        "random_uniform": RandomUniform,
        "truncated_normal": TruncatedNormal,
        "uniform": RandomUniform,
        "zero": Zeros,
        "zeros": Zeros,
        **{f.__name__: f for f in (glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_normal, lecun_uniform)},
    },
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer that an argument stands for: a name, an object, a class, or None for the default.

    Raises:
        ValueError: there is none.
    """
    if identifier is None:
        return None
    found = _OBJECTS.get(identifier)
    return found() if isinstance(identifier, str) or isinstance(found, type) else found


def serialize(initializer: Any) -> Any:
    """Class and arguments, for `deserialize`."""
    return described(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    return _OBJECTS.get(config, custom_objects)
