"""Adapters for the entries of OpInfo that rearrange, join, index or create."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt

from .mapped import NotOffered

__all__ = ["SHAPING"]


def shape_of(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        return tuple(shape[0])
    return tuple(shape)


def expanded(x: Any, *shape: Any) -> Any:
    sizes = shape_of(shape)
    lead = len(sizes) - x.ndim
    return pt.broadcast_to(x, tuple(x.shape[k - lead] if n == -1 else n for k, n in enumerate(sizes)))


def along(x: Any, dim: int, key: Any) -> Any:
    """``x[:, ..., key]`` with ``key`` at axis ``dim``."""
    return x[(slice(None),) * (dim % max(x.ndim, 1)) + (key,)]


def placed(x: Any, dim: int, key: Any, value: Any) -> Any:
    y = pt.identity(x)
    y[(slice(None),) * (dim % x.ndim) + (key,)] = value
    return y


def chunks(x: Any, count: int, dim: int = 0) -> Any:
    n = x.shape[dim]
    return pieces(x, -(-n // count) if n else 1, dim)


def pieces(x: Any, size: Any, dim: int = 0) -> Any:
    n = x.shape[dim]
    starts = (list(range(size, n, size)) if size else []) if isinstance(size, int) else list(np.cumsum(size)[:-1])
    return pt.split(x, [int(k) for k in starts], axis=dim)


def sections(x: Any, parts: Any, dim: int = 0) -> Any:
    if isinstance(parts, pt.Tensor):
        parts = parts.numpy().tolist()
    return pt.array_split(x, list(parts) if isinstance(parts, (tuple, list)) else parts, axis=dim)


def stacked(axis: int) -> Any:
    """hstack, vstack, dstack: joins along ``axis`` after every tensor has that axis."""

    def adapted(arrays: Any) -> Any:
        least = {0: pt.atleast_2d, 1: pt.atleast_1d, 2: pt.atleast_3d}[axis]
        parts = [least(x) for x in arrays]
        return pt.concat(parts, 0 if axis == 1 and parts[0].ndim == 1 else axis)

    return adapted


def column_stack(arrays: Any) -> Any:
    return pt.concat([pt.reshape(x, (-1, 1)) if x.ndim < 2 else x for x in arrays], 1)


def concatenated(arrays: Any, dim: int = 0) -> Any:
    parts = [x for x in arrays if x.shape != (0,)] or list(arrays)
    return pt.concat(parts, dim)


def permuted(x: Any, *axes: Any) -> Any:
    order = shape_of(axes)
    return pt.permute_dims(x, tuple(k % max(x.ndim, 1) for k in order))


def repeated(x: Any, *counts: Any) -> Any:
    counts = shape_of(counts)
    return pt.tile(pt.reshape(x, (*(1,) * (len(counts) - x.ndim), *x.shape)), counts)


def of_each(op: Any) -> Any:
    return lambda *arrays: [op(x) for part in arrays for x in (part if isinstance(part, (tuple, list)) else (part,))]


def interleaved(x: Any, repeats: Any, dim: int | None = None, *, output_size: Any = None) -> Any:
    if x.ndim == 0:
        x = pt.reshape(x, (1,))
    return pt.repeat(x, repeats, axis=dim)


def transposed(x: Any, a: int, b: int) -> Any:
    return pt.swapaxes(x, a, b) if x.ndim else x


def flattened(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if x.ndim == 0:
        return pt.reshape(x, (1,))
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return pt.reshape(x, (*x.shape[:first], int(np.prod(x.shape[first : last + 1])), *x.shape[last + 1 :]))


def unflattened(x: Any, dim: int, sizes: Any) -> Any:
    dim = dim % x.ndim
    known = -int(np.prod(sizes))
    sizes = tuple(x.shape[dim] // known if n == -1 and known else n for n in sizes)
    return pt.reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def squeezed(x: Any, *dims: Any) -> Any:
    axes = dims[0] if dims else None
    if axes is None:
        return pt.squeeze(x)
    axes = axes if isinstance(axes, (tuple, list)) else (axes,)
    kept = tuple(k % x.ndim for k in axes if x.ndim and x.shape[k] == 1)
    return pt.squeeze(x, kept)


def rolled(x: Any, shifts: Any, dims: Any = None) -> Any:
    if x.ndim == 0:
        return x
    dims = dims if dims is not None and dims != () else None
    shifts, dims = (tuple(v) if isinstance(v, (tuple, list)) else v for v in (shifts, dims))
    return pt.roll(x, shifts, axis=dims)


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return pt.diagonal(pt.moveaxis(x, (dim1, dim2), (-2, -1)), offset=offset)


def embedded(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    n = x.shape[-1] + abs(offset)
    grown = pt.pad(x, (*((0, 0),) * (x.ndim - 1), (max(offset, 0), max(-offset, 0))))
    y = pt.where(pt.eye(n, k=offset, dtype="bool"), grown[..., None, :], 0)
    y = pt.astype(y, x.dtype)
    return pt.moveaxis(y, (-2, -1), (dim1, dim2))


def diagonal_set(x: Any, values: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    moved = pt.moveaxis(x, (dim1, dim2), (-2, -1))
    m, n = moved.shape[-2:]
    before = max(offset, 0)
    grown = pt.pad(values, (*((0, 0),) * (values.ndim - 1), (before, n - before - values.shape[-1])))
    y = pt.where(pt.eye(m, n, k=offset, dtype="bool"), grown[..., None, :], moved)
    return pt.moveaxis(y, (-2, -1), (dim1, dim2))


def triangle(op: Any) -> Any:
    return lambda x, diagonal=0: op(x, k=diagonal)


def meshes(*arrays: Any, indexing: str = "ij") -> Any:
    arrays = tuple(arrays[0]) if len(arrays) == 1 and isinstance(arrays[0], (tuple, list)) else arrays
    return pt.meshgrid(*[pt.reshape(x, (-1,)) for x in arrays], indexing=indexing)


def block_diag(*arrays: Any) -> Any:
    return pt.linalg.block_diag(*[pt.atleast_2d(x) for x in arrays])


def viewed(x: Any, *shape: Any) -> Any:
    sizes = shape_of(shape)
    if len(sizes) == 1 and not isinstance(sizes[0], int):
        raise NotOffered("a view with another dtype")
    return pt.reshape(x, sizes)


SHAPING: dict[str, Any] = {
    "broadcast_to": lambda x, shape: pt.broadcast_to(x, tuple(shape)),
    "broadcast_tensors": lambda *arrays: pt.broadcast_arrays(*arrays),
    "broadcast_shapes": lambda *shapes: pt.broadcast_shapes(
        *[(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    ),
    "expand": expanded,
    "expand_copy": expanded,
    "expand_as": lambda x, y: pt.broadcast_to(x, y.shape),
    "view_as": lambda x, y: pt.reshape(x, y.shape),
    "reshape_as": lambda x, y: pt.reshape(x, y.shape),
    "reshape": lambda x, *shape: pt.reshape(x, shape_of(shape)),
    "view": viewed,
    "view_copy": viewed,
    "ravel": pt.flatten,
    "flatten": flattened,
    "unflatten": unflattened,
    "squeeze": squeezed,
    "squeeze/multiple": squeezed,
    "squeeze_copy": squeezed,
    "unsqueeze": lambda x, dim: pt.expand_dims(x, dim),
    "unsqueeze_copy": lambda x, dim: pt.expand_dims(x, dim),
    "permute": permuted,
    "permute_copy": permuted,
    "transpose": transposed,
    "transpose_copy": transposed,
    "movedim": lambda x, a, b: (
        pt.moveaxis(x, *(tuple(v) if isinstance(v, (tuple, list)) else v for v in (a, b))) if x.ndim else x
    ),
    "T": lambda x: pt.permute_dims(x, tuple(range(x.ndim))[::-1]),
    "t": lambda x: x.T if x.ndim == 2 else x,
    "t_copy": lambda x: x.T if x.ndim == 2 else x,
    "mT": pt.matrix_transpose,
    "H": lambda x: pt.conj(x.T) if x.ndim == 2 else x,
    "mH": lambda x: pt.conj(pt.matrix_transpose(x)),
    "flip": lambda x, dims: pt.flip(x, axis=tuple(dims)) if x.ndim else x,
    "fliplr": lambda x: pt.flip(x, axis=1),
    "flipud": lambda x: pt.flip(x, axis=0),
    "rot90": lambda x, k=1, dims=(0, 1): pt.rot90(x, k=k, axes=tuple(dims)),
    "roll": rolled,
    **{name: of_each(getattr(pt, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
    "chunk": chunks,
    "unsafe_chunk": chunks,
    "split": pieces,
    "split/list_args": pieces,
    "split_with_sizes": pieces,
    "split_with_sizes_copy": pieces,
    "unsafe_split": pieces,
    "tensor_split": sections,
    "hsplit": lambda x, parts: sections(x, parts, 1 if x.ndim > 1 else 0),
    "vsplit": lambda x, parts: sections(x, parts, 0),
    "dsplit": lambda x, parts: sections(x, parts, 2),
    "unbind": lambda x, dim=0: pt.unstack(x, axis=dim),
    "unbind_copy": lambda x, dim=0: pt.unstack(x, axis=dim),
    "cat": concatenated,
    "stack": lambda arrays, dim=0: pt.stack(arrays, axis=dim),
    "hstack": stacked(1),
    "vstack": stacked(0),
    "dstack": stacked(2),
    "column_stack": column_stack,
    "tile": lambda x, *counts: pt.tile(x, shape_of(counts)),
    "repeat": repeated,
    "repeat_interleave": interleaved,
    "meshgrid/variadic_tensors": meshes,
    "meshgrid/list_of_tensors": meshes,
    "block_diag": block_diag,
    "diag": lambda x, diagonal=0: pt.diag(x, k=diagonal),
    "diagflat": lambda x, offset=0: pt.diag(pt.flatten(x), k=offset),
    "diag_embed": embedded,
    "diagonal": diagonal,
    "diagonal_copy": diagonal,
    "linalg.diagonal": lambda x, *, offset=0, dim1=-2, dim2=-1: diagonal(x, offset, dim1, dim2),
    "diagonal_scatter": diagonal_set,
    "trace": pt.trace,
    "tril": triangle(pt.tril),
    "triu": triangle(pt.triu),
    "view_as_real": lambda x: pt.stack([pt.real(x), pt.imag(x)], axis=-1),
    "view_as_complex": lambda x: pt.add(x[..., 0], x[..., 1] * 1j),
    "constant_pad_nd": lambda x, pad, value=0: padded(x, pad, "constant", value),
    "nn.functional.pad/constant": lambda x, pad, mode="constant", value=0: padded(x, pad, mode, value or 0),
    "nn.functional.pad/reflect": lambda x, pad, mode: padded(x, pad, "reflect"),
    "nn.functional.pad/replicate": lambda x, pad, mode: padded(x, pad, "edge"),
    "nn.functional.pad/replicate_negative": lambda x, pad, mode: padded(x, pad, "edge"),
    "nn.functional.pad/circular": lambda x, pad, mode: padded(x, pad, "wrap"),
    "cartesian_prod": lambda *arrays: (
        arrays[0]
        if len(arrays) == 1
        else pt.stack([pt.flatten(x) for x in pt.meshgrid(*arrays, indexing="ij")], axis=-1)
    ),
}


def padded(x: Any, pad: Any, mode: str, value: Any = 0) -> Any:
    """torch's widths: the last axis first; negative ones cut off."""
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[k], pad[k + 1]) for k in range(len(pad) - 2, -1, -2)]
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))
    grown = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
    x = x[cut]
    if mode != "constant" and 0 in x.shape:
        raise NotOffered("a width that cuts off every element")
    return pt.pad(x, grown, "constant", constant_values=value) if mode == "constant" else pt.pad(x, grown, mode)
