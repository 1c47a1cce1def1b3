"""Nodes that sample images, quantize, and transform signals."""

from __future__ import annotations

import itertools
import math
from typing import Any

import polytape as pt

from .networks import conv
from .registry import constant, integers, node

# --- sampling ---------------------------------------------------------------------------------------------------------


@node("AffineGrid", host="size")
def _affine_grid(theta: Any, size: Any, *, align_corners: int = 0) -> Any:
    return pt.nn.affine_grid(theta, integers(size)[2:], align_corners=bool(align_corners))


@node("GridSample")
def _grid_sample(
    x: Any, grid: Any, *, align_corners: int = 0, mode: str = "linear", padding_mode: str = "zeros"
) -> Any:
    return pt.nn.grid_sample(
        x, grid, mode={"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode), padding_mode=padding_mode,
        align_corners=bool(align_corners), data_format="channels_first",
    )  # fmt: skip


CUBIC = -0.75


class Axis:
    """How `Resize` maps one axis: for each new element, where it lies among the old ones."""

    def __init__(self, n: int, size: int, scale: float, roi: tuple[float, float], mode: str) -> None:
        self.n, self.size, self.scale = n, size, scale
        self.places = [self._place(i, scale * n, roi, mode) for i in range(size)]
        self.outside = [x < 0 or x > n - 1 for x in self.places]

    def _place(self, i: int, exact: float, roi: tuple[float, float], mode: str) -> float:
        last = self.n - 1
        if mode == "align_corners":
            return i * last / (exact - 1) if exact != 1 else 0.0
        if mode == "asymmetric":
            return i / self.scale
        if mode == "tf_crop_and_resize":
            start, stop = roi[0] * last, roi[1] * last
            return start + i * (stop - start) / (exact - 1) if exact != 1 else (start + stop) / 2
        if mode == "pytorch_half_pixel" and exact == 1:
            return -0.5
        # For half_pixel_symmetric, the centres of both axes coincide.
        shift = self.n / 2 * (1 - self.size / exact) if mode == "half_pixel_symmetric" else 0.0
        return (i + 0.5) / self.scale - 0.5 + shift

    def nearest(self, rounding: str) -> list[int]:
        """The old element that each new one is."""
        rules: Any = {
            "round_prefer_floor": lambda x: math.ceil(x - 0.5), "round_prefer_ceil": lambda x: math.floor(x + 0.5),
            "floor": math.floor, "ceil": math.ceil,
        }  # fmt: skip
        return [min(max(rules[rounding](x), 0), self.n - 1) for x in self.places]

    def weights(self, kernel: Any, reach: int, antialias: bool, exclude_outside: bool) -> list[list[float]]:
        """[size, n]: the share of each old element in each new one. The outer elements are repeated or excluded."""
        factor = min(self.scale, 1.0) if antialias else 1.0
        around = math.ceil(reach / factor)
        table = []
        for place in self.places:
            near = range(math.floor(place) - around, math.floor(place) + around + 1)
            shares = [0.0 if exclude_outside and not 0 <= k < self.n else kernel(abs(k - place) * factor) for k in near]
            total = math.fsum(shares)
            row = [0.0] * self.n
            for k, share in zip(near, shares, strict=True):
                row[min(max(k, 0), self.n - 1)] += share / total
            table.append(row)
        return table


def _linear(distance: float) -> float:
    return max(1 - distance, 0.0)


def _cubic(a: float) -> Any:
    def kernel(d: float) -> float:
        if d <= 1:
            return ((a + 2) * d - (a + 3)) * d * d + 1
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a if d < 2 else 0.0

    return kernel


def _sizes(
    shape: tuple[int, ...], axes: list[int], scales: Any, sizes: Any, policy: str
) -> dict[int, tuple[int, float]]:
    """The new size of each axis, and its scale."""
    if scales is not None and len(scales):
        return {axis: (math.floor(shape[axis] * s), s) for axis, s in zip(axes, map(float, scales), strict=True)}
    wanted = {axis: (n, n / shape[axis]) for axis, n in zip(axes, integers(sizes), strict=True)}
    if policy == "stretch":
        return wanted
    scale = (min if policy == "not_larger" else max)(s for _, s in wanted.values())
    return {axis: (math.floor(scale * shape[axis] + 0.5), scale) for axis in axes}


@node("Resize", host="roi scales sizes")
def _resize(
    x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, *, antialias: int = 0, axes: Any = None,
    coordinate_transformation_mode: str = "half_pixel", cubic_coeff_a: float = CUBIC, exclude_outside: int = 0,
    extrapolation_value: float = 0.0, keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Any:  # fmt: skip
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes]
    targets = _sizes(x.shape, axes, scales, sizes, keep_aspect_ratio_policy)
    plain = not antialias and not exclude_outside and all(n == x.shape[i] * s for i, (n, s) in targets.items())
    own = _own_op(x, targets, mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a) if plain else None
    if own is not None:
        return own
    kernel, reach = (_linear, 1) if mode == "linear" else (_cubic(cubic_coeff_a), 2)
    crops = coordinate_transformation_mode == "tf_crop_and_resize"
    for place, (i, (size, scale)) in enumerate(targets.items()):
        part = (float(roi[place]), float(roi[place + len(axes)])) if crops else (0.0, 1.0)
        axis = Axis(x.shape[i], size, scale, part, coordinate_transformation_mode)
        if mode == "nearest":
            x = pt.take(x, constant(axis.nearest(nearest_mode), pt.int64), axis=i)
        elif scale != 1.0 or size != x.shape[i] or crops:
            shares = constant(axis.weights(kernel, reach, bool(antialias), bool(exclude_outside)), x.dtype)
            x = pt.moveaxis(pt.tensordot(x, shares, axes=((i,), (1,))), -1, i)
        if crops:
            shape = tuple(size if k == i else 1 for k in range(x.ndim))
            x = pt.where(pt.reshape(constant(axis.outside), shape), extrapolation_value, x)
    return x


def _own_op(x: Any, targets: dict[int, tuple[int, float]], mode: str, places: str, rounding: str, a: float) -> Any:
    """The result of a resize op of `pt.nn`, or None if there is none with these options."""
    sizes = [targets.get(axis, (n, 1.0))[0] for axis, n in enumerate(x.shape)]
    corners = places == "align_corners"
    if list(x.shape[:2]) != sizes[:2] or not (corners or places == "half_pixel"):
        return None
    how: Any = {"align_corners": corners, "data_format": "channels_first"}
    if mode == "linear":
        return pt.nn.resize_bilinear(x, sizes[2:], **how)
    if mode == "cubic":
        return pt.nn.resize_bicubic(x, sizes[2:], a=a, **how)
    return pt.nn.resize_nearest(x, sizes[2:], **how) if rounding == "round_prefer_ceil" else None


@node("Upsample", host="scales")
def _upsample(x: Any, scales: Any, *, mode: str = "nearest") -> Any:
    return _resize(x, None, scales, mode=mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def _sampled(x: Any, rows: Any, columns: Any, padding_mode: str) -> Any:
    """``x`` [batch, channels, height, width] at positions [batch, ...] in elements: [batch, channels, ...]."""
    height, width = (max(n - 1, 1) for n in x.shape[2:])
    grid = pt.stack([2 * columns / width - 1, 2 * rows / height - 1], axis=-1)
    flat = pt.reshape(grid, (grid.shape[0], 1, -1, 2))
    y = pt.nn.grid_sample(x, flat, padding_mode=padding_mode, align_corners=True, data_format="channels_first")
    return pt.reshape(y, (*x.shape[:2], *rows.shape[1:]))


@node("DeformConv")
def _deform_conv(
    x: Any, w: Any, offset: Any, bias: Any = None, mask: Any = None, *, dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, offset_group: int = 1, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """The elements that each window sees are sampled; a convolution with windows of one element sums them."""
    (height, width), (high, wide) = w.shape[2:], offset.shape[2:]
    dilations, strides, pads = dilations or [1, 1], strides or [1, 1], pads or [0] * 4
    batch, channels = x.shape[:2]
    offset = pt.reshape(offset, (batch * offset_group, height, width, 2, high, wide))
    rows = pt.reshape(pt.arange(height) * dilations[0] - pads[0], (height, 1, 1, 1))
    rows = rows + pt.reshape(pt.arange(high) * strides[0], (high, 1)) + offset[:, :, :, 0]
    columns = pt.reshape(pt.arange(width) * dilations[1] - pads[1], (width, 1, 1))
    columns = columns + pt.arange(wide) * strides[1] + offset[:, :, :, 1]
    images = pt.reshape(x, (batch * offset_group, channels // offset_group, *x.shape[2:]))
    seen = _sampled(images, rows, columns, "zeros")
    if mask is not None:
        seen = seen * pt.reshape(mask, (batch * offset_group, 1, height, width, high, wide))
    seen = pt.reshape(seen, (batch, channels * height * width, high, wide))
    return conv(seen, pt.reshape(w, (w.shape[0], -1, 1, 1)), bias, group=group)


@node("RoiAlign", host="rois")
def _roi_align(
    x: Any, rois: Any, batch_indices: Any, *, coordinate_transformation_mode: str = "", mode: str = "avg",
    output_height: int = 1, output_width: int = 1, sampling_ratio: int = 0, spatial_scale: float = 1.0, run: Any,
) -> Any:  # fmt: skip
    """The mean of samples in each part of a region; their number may depend on its size."""
    # Version 16 has the attribute, with another default than what version 10 did.
    places = coordinate_transformation_mode or ("half_pixel" if run.opset >= 16 else "output_half_pixel")
    half = 0.5 if places == "half_pixel" else 0.0
    results = []
    for i, corners in enumerate(rois * spatial_scale - half):
        left, top, right, bottom = corners.tolist()
        sizes = (bottom - top, right - left)
        if not half:
            sizes = tuple(max(size, 1.0) for size in sizes)
        parts = (output_height, output_width)
        counts = [sampling_ratio or math.ceil(size / n) for size, n in zip(sizes, parts, strict=True)]
        rows, columns = (
            start + (pt.arange(n * count) + 0.5) * (size / (n * count))
            for start, size, n, count in zip((top, left), sizes, parts, counts, strict=True)
        )
        image = pt.take(x, pt.reshape(batch_indices[i], (1,)), axis=0)
        rows, columns = pt.broadcast_arrays(pt.reshape(rows, (1, -1, 1)), columns)
        y = _sampled(image, rows, columns, "border")
        height, width = x.shape[2:]
        near = (rows >= -1) & (rows <= height) & (columns >= -1) & (columns <= width)
        y = pt.reshape(pt.where(near, y, 0), (1, x.shape[1], parts[0], counts[0], parts[1], counts[1]))
        results.append(pt.mean(y, axis=(3, 5)))
    return pt.concat(results, axis=0)


@node("NonMaxSuppression", host="most threshold least", reads="boxes scores")
def _non_max_suppression(
    boxes: Any, scores: Any, most: Any = None, threshold: Any = None, least: Any = None, *, center_point_box: int = 0
) -> Any:
    """Greedily by descending score: a box is dropped if it overlaps too much with one that was kept."""
    most, threshold = (0 if x is None else x.item() for x in (most, threshold))
    if center_point_box:
        middle, half = boxes[..., :2], boxes[..., 2:] / 2
        low, high = middle - half, middle + half
    else:
        low, high = pt.minimum(boxes[..., :2], boxes[..., 2:]), pt.maximum(boxes[..., :2], boxes[..., 2:])
    edges = pt.minimum(high[:, :, None], high[:, None]) - pt.maximum(low[:, :, None], low[:, None])
    shared, areas = pt.prod(pt.maximum(edges, 0), axis=-1), pt.prod(high - low, axis=-1)
    overlaps = (shared / (areas[:, :, None] + areas[:, None] - shared) > threshold).numpy()
    order, eligible = (
        pt.argsort(scores, descending=True).numpy(),
        scores.numpy() > (-math.inf if least is None else least),
    )
    kept = []
    for batch, label in itertools.product(*map(range, scores.shape[:2])):
        chosen: list[int] = []
        for box in order[batch, label]:
            if len(chosen) < most and eligible[batch, label, box] and not overlaps[batch, box, chosen].any():
                chosen.append(int(box))
        kept += [(batch, label, box) for box in chosen]
    return pt.reshape(constant(kept, pt.int64), (-1, 3))
