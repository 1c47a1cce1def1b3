"""Color spaces: the channels of the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polytape as pt
from polytape import Tensor

from ....dtypes import FLOATING, category
from .images import image_as

__all__ = [
    "FROM_YIQ",
    "FROM_YUV",
    "YIQ",
    "YUV",
    "from_hsv",
    "gray",
    "hue_shifted",
    "mixed",
    "saturation_scaled",
    "to_hsv",
]

Matrix = list[list[float]]
# From red, green and blue, a column each, as TensorFlow has them.
YIQ: Matrix = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
FROM_YIQ: Matrix = [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
YUV: Matrix = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
FROM_YUV: Matrix = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


def mixed(images: Tensor, matrix: Matrix) -> Tensor:
    """The channels, mixed by a matrix."""
    return pt.tensordot(images, pt.asarray(matrix, images.dtype), axes=1)


def gray(images: Tensor) -> Tensor:
    """`tf.image.rgb_to_grayscale`: the brightness as the only channel."""
    x = images if category(images.dtype) >= FLOATING else image_as(images, pt.float32)
    weights = pt.asarray([0.2989, 0.5870, 0.1140], x.dtype)
    return image_as(pt.sum(x * weights, axis=-1, keepdims=True), images.dtype)


def to_hsv(images: Tensor) -> Tensor:
    """Hue, saturation and value, each from 0 to 1."""
    red, green, blue = pt.unstack(images, axis=-1)
    value = pt.max(images, axis=-1)
    span = value - pt.min(images, axis=-1)
    safe = pt.where(span > 0, span, pt.ones_like(span))
    saturation = pt.where(value > 0, span / pt.where(value > 0, value, pt.ones_like(value)), pt.zeros_like(value))
    # The largest channel decides the sextant of the hue.
    hue = pt.where(
        pt.equal(red, value),
        (green - blue) / safe,
        pt.where(pt.equal(green, value), (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    hue = pt.where(span > 0, hue / 6.0, pt.zeros_like(hue))
    return pt.stack([pt.where(hue < 0, hue + 1.0, hue), saturation, value], axis=-1)


def from_hsv(images: Tensor) -> Tensor:
    """Red, green and blue from hue, saturation and value."""
    hue, saturation, value = pt.unstack(images, axis=-1)
    sextant = hue * 6.0
    channels = []
    for shade in (
        pt.abs(sextant - 3.0) - 1.0,
        2.0 - pt.abs(sextant - 2.0),
        2.0 - pt.abs(sextant - 4.0),
    ):
        channels.append(((pt.clip(shade, 0.0, 1.0) - 1.0) * saturation + 1.0) * value)
    return pt.stack(channels, axis=-1)


def _in_hsv(image: Tensor, change: Callable[[Tensor, Tensor, Tensor], list[Tensor]]) -> Tensor:
    x = image if category(image.dtype) >= FLOATING else image_as(image, pt.float32)
    hue, saturation, value = pt.unstack(to_hsv(x), axis=-1)
    return image_as(from_hsv(pt.stack(change(hue, saturation, value), axis=-1)), image.dtype)


def hue_shifted(image: Tensor, delta: Any) -> Tensor:
    """`tf.image.adjust_hue`: the hue moved by ``delta`` turns."""
    return _in_hsv(image, lambda hue, saturation, value: [pt.remainder(hue + delta, 1.0), saturation, value])


def saturation_scaled(image: Tensor, factor: Any) -> Tensor:
    """`tf.image.adjust_saturation`: the saturation scaled, at most 1."""
    return _in_hsv(image, lambda hue, saturation, value: [hue, pt.clip(saturation * factor, 0.0, 1.0), value])
