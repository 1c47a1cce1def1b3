"""Compositions of ops on the pixels of images [height, width, channels] or [batch, height, width, channels]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polytape as pt
from polytape import Tensor

from ....dtypes import FLOATING, category
from ...op_errors import invalid
from ..convert import generator, integers, tensor
from .arrays import flipped
from .numbers import saturated

__all__ = [
    "as_image",
    "box_of",
    "brightened",
    "central_part",
    "contrasted",
    "cropped_or_padded",
    "flipped_at_random",
    "gamma_corrected",
    "image_as",
    "in_larger_box",
    "kept_boxes",
    "resized",
    "standardized",
    "uniform_number",
    "variation",
]


def as_image(value: Any) -> Tensor:
    """``value`` as a tensor with three or four axes.

    Raises:
        ValueError: another number of axes.
    """
    found = tensor(value)
    if found.ndim not in (3, 4):
        raise ValueError(f"'image' must have either 3 or 4 dimensions, got shape {found.shape}.")
    return found


def uniform_number(low: Any, high: Any, seed: Any) -> float:
    """A random number.

    Raises:
        ValueError: ``low`` is not below ``high``.
    """
    if not low < high:
        raise ValueError(f"The lower limit {low} must be below the upper limit {high}.")
    return float(pt.random.uniform((), low, high, generator=generator(seed)))


def flipped_at_random(image: Tensor, axis: int, seed: Any) -> Tensor:
    """The image, or its mirror image, each with probability 1/2."""
    return flipped(image, axis) if uniform_number(0.0, 1.0, seed) < 0.5 else pt.identity(image)


def image_as(image: Tensor, dtype: Any, saturate: bool = False) -> Tensor:
    """`tf.image.convert_image_dtype`: floating values from 0 to 1 become integers from 0 to the maximum, and back."""
    if image.dtype == dtype:
        return pt.identity(image)
    from_real, to_real = category(image.dtype) >= FLOATING, category(dtype) >= FLOATING
    if from_real and to_real:
        return pt.astype(image, dtype)
    if from_real:
        scaled = image * (int(pt.iinfo(dtype).max) + 0.5)
        return saturated(scaled, dtype) if saturate else pt.astype(scaled, dtype)
    if to_real:
        return pt.astype(image, dtype) * (1.0 / int(pt.iinfo(image.dtype).max))
    ours, theirs = int(pt.iinfo(image.dtype).max), int(pt.iinfo(dtype).max)
    if ours > theirs:
        scaled = image // ((ours + 1) // (theirs + 1))
        return saturated(scaled, dtype) if saturate else pt.astype(scaled, dtype)
    wide = saturated(image, dtype) if saturate else pt.astype(image, dtype)
    return wide * ((theirs + 1) // (ours + 1))


def _in_floats(image: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """What ``change`` makes of the image in float32, in the image's own dtype."""
    if category(image.dtype) >= FLOATING:
        return change(image)
    return image_as(change(image_as(image, pt.float32)), image.dtype, saturate=True)


def brightened(image: Tensor, delta: Any) -> Tensor:
    """A number added to all pixels."""
    return _in_floats(image, lambda x: x + delta)


def contrasted(image: Tensor, factor: Any) -> Tensor:
    """The distances of the pixels to the mean of their channel, scaled."""

    def change(x: Tensor) -> Tensor:
        mean = pt.mean(x, axis=(-3, -2), keepdims=True)
        result: Tensor = (x - mean) * factor + mean
        return result

    return _in_floats(image, change)


def gamma_corrected(image: Tensor, gamma: Any, gain: Any) -> Tensor:
    """`tf.image.adjust_gamma`: ``gain * limit * (x / limit) ** gamma``, for the limit of the dtype.

    Raises:
        ValueError: ``gamma`` is negative.
    """
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number.")
    if category(image.dtype) >= FLOATING:
        result: Tensor = gain * image**gamma
        return result
    low, high = int(pt.iinfo(image.dtype).min), int(pt.iinfo(image.dtype).max)
    scale = float(high - low)
    corrected = (pt.astype(image, "float32") / scale) ** gamma * scale * gain
    return pt.astype(pt.clip(corrected, low, high), image.dtype)


def standardized(image: Tensor) -> Tensor:
    """`tf.image.per_image_standardization`: mean 0, standard deviation 1."""
    x = pt.astype(image, "float32") if category(image.dtype) < FLOATING else image
    axis = (-3, -2, -1)
    count = x.shape[-3] * x.shape[-2] * x.shape[-1]
    deviation = pt.maximum(pt.std(x, axis=axis, keepdims=True), count**-0.5)
    result: Tensor = (x - pt.mean(x, axis=axis, keepdims=True)) / deviation
    return result


def variation(images: Tensor) -> Tensor:
    """`tf.image.total_variation`: the sum of the absolute differences of neighbours, for each image.

    Raises:
        ValueError: not three or four axes.
    """
    x = as_image(images)
    rows, columns = x[..., 1:, :, :] - x[..., :-1, :, :], x[..., 1:, :] - x[..., :-1, :]
    axis = (-3, -2, -1)
    return pt.sum(pt.abs(rows), axis=axis) + pt.sum(pt.abs(columns), axis=axis)


def box_of(image: Tensor, box: list[int]) -> Tensor:
    """`tf.image.crop_to_bounding_box`.

    Raises:
        ValueError: the box is not inside the image.
    """
    top, left, height, width = box
    x = as_image(image)
    rows, columns = x.shape[-3:-1]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise ValueError(f"The box {box} (top, left, height, width) is not inside an image of {rows} x {columns}.")
    return x[..., top : top + height, left : left + width, :]


def in_larger_box(image: Tensor, box: list[int]) -> Tensor:
    """`tf.image.pad_to_bounding_box`: the image in a larger one of zeros.

    Raises:
        ValueError: the box is too small.
    """
    top, left, height, width = box
    x = as_image(image)
    below, right = height - top - x.shape[-3], width - left - x.shape[-2]
    if min(top, left, below, right) < 0:
        raise ValueError(f"An image of {x.shape} does not fit into {height} x {width} from ({top}, {left}).")
    batch = ((0, 0),) * (x.ndim - 3)
    return pt.pad(x, (*batch, (top, below), (left, right), (0, 0)))


def cropped_or_padded(image: Tensor, height: int, width: int) -> Tensor:
    """`tf.image.resize_image_with_crop_or_pad`: the middle of the image, or the image in the middle of zeros.

    Raises:
        ValueError: a size that is not positive.
    """
    if min(height, width) < 1:
        raise ValueError(f"The target size must be positive, got {height} x {width}.")
    x = as_image(image)
    rows, columns = x.shape[-3:-1]
    part = box_of(x, [max(rows - height, 0) // 2, max(columns - width, 0) // 2, min(rows, height), min(columns, width)])
    return in_larger_box(part, [max(height - rows, 0) // 2, max(width - columns, 0) // 2, height, width])


def central_part(image: Tensor, fraction: float) -> Tensor:
    """`tf.image.central_crop`.

    Raises:
        ValueError: the fraction is not in (0, 1].
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError("central_fraction must be within (0, 1]")
    x = as_image(image)
    rows, columns = x.shape[-3:-1]
    top, left = int((rows - rows * fraction) / 2), int((columns - columns * fraction) / 2)
    return box_of(x, [top, left, rows - 2 * top, columns - 2 * left])


def _area_weights(before: int, after: int, align: bool) -> Tensor:
    """The weights [after, before] of the average of the pixels that each new pixel covers."""
    scale = (before - 1) / (after - 1) if align and after > 1 else before / after
    rows = []
    for index in range(after):
        low, high = index * scale, (index + 1) * scale
        rows.append([max(min(high, cell + 1) - max(low, cell), 0.0) / scale for cell in range(before)])
    return pt.asarray(rows, "float32")


def _area(x: Tensor, size: tuple[int, int], align: bool) -> Tensor:
    down, across = _area_weights(x.shape[1], size[0], align), _area_weights(x.shape[2], size[1], align)
    return pt.einsum("nijc,ai,bj->nabc", x, down, across)


def _placed(x: Tensor, size: tuple[int, int], method: int, align: bool) -> Tensor:
    """Rows and columns that TensorFlow 1.7 takes: pixel i is at ``i * scale``, not in the middle of its area."""
    scales = [
        (before - 1) / (after - 1) if align and after > 1 else before / after
        for before, after in zip(x.shape[1:3], size, strict=True)
    ]
    for axis, scale in zip((1, 2), scales, strict=True):
        extent, places = x.shape[axis], [index * scale for index in range(size[axis - 1])]
        if method == 1:
            chosen = [min(int(place + 0.5) if align else int(place), extent - 1) for place in places]
            x = pt.take(x, pt.asarray(chosen), axis=axis)
        else:
            x = _weighted(x, axis, places, _cubic if method == 2 else _linear)
    return x


def _linear(t: float) -> list[tuple[int, float]]:
    return [(0, 1.0 - t), (1, t)]


def _cubic(t: float) -> list[tuple[int, float]]:
    """The weights of four neighbours, with the parameter -3/4, at 1024ths of a pixel as in TensorFlow's table."""
    a, t = -0.75, round(t * 1024) / 1024

    def near(d: float) -> float:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: float) -> float:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [(-1, far(1 + t)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]


def _weighted(x: Tensor, axis: int, places: list[float], kernel: Callable[[float], list[tuple[int, float]]]) -> Tensor:
    """Weighted sums of neighbours along an axis; indices beyond the edges are those of the edges."""
    extent = x.shape[axis]
    rows = []
    for place in places:
        weights = [0.0] * extent
        whole = int(place)
        for offset, weight in kernel(place - whole):
            weights[min(max(whole + offset, 0), extent - 1)] += weight
        rows.append(weights)
    letters = "nijc"
    other = letters.replace(letters[axis], "a")
    return pt.einsum(f"{letters},a{letters[axis]}->{other}", x, pt.asarray(rows, x.dtype))


def resized(images: Tensor, size: Any, method: Any, align: bool, keep_equal: bool = False) -> Tensor:
    """`tf.image.resize_images` and its kin.

    Args:
        images: with three or four axes.
        size: the new height and width.
        method: TensorFlow's number of the method.
        align: whether the corners of both images are in the same place.
        keep_equal: whether images of that size stay as they are, dtype included.
    Raises:
        ValueError: there is no such method, or no new size.
    """
    height, width = integers(size)
    x = as_image(images)
    if min(height, width) < 1:
        raise invalid("output dimensions must be positive", "a positive height and width", f"{height} x {width}")
    if keep_equal and (height, width) == x.shape[-3:-1]:
        return pt.identity(x)
    batch = pt.expand_dims(x, 0) if x.ndim == 3 else x
    if method != 1:
        batch = pt.astype(batch, "float32")
    if method == 3:
        result = _area(batch, (height, width), align)
    elif method in (0, 1, 2):
        result = _placed(batch, (height, width), int(method), align)
    else:
        raise ValueError("Resize method is not implemented.")
    return pt.squeeze(result, 0) if x.ndim == 3 else result


def kept_boxes(boxes: Tensor, scores: Tensor, count: int, limit: float) -> Tensor:
    """`tf.image.non_max_suppression`: the numbers of the best boxes that do not overlap a better one too much."""
    corners = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes.tolist()]
    order = pt.argsort(scores, descending=True).tolist()
    kept: list[int] = []
    for index in order:
        if len(kept) < count and all(_overlap(corners[index], corners[other]) <= limit for other in kept):
            kept.append(index)
    return pt.asarray(kept, "int32")


def _overlap(first: Any, second: Any) -> float:
    """The area that two boxes share, divided by the area that either covers."""
    height = max(min(first[2], second[2]) - max(first[0], second[0]), 0.0)
    width = max(min(first[3], second[3]) - max(first[1], second[1]), 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return 0.0 if min(areas) <= 0 else height * width / (sum(areas) - height * width)
