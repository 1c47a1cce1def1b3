"""Which ops are linear in which operands: forward mode applies such an op to the tangent itself."""

from __future__ import annotations

from typing import Final

__all__ = ["groups"]

# Per op, groups of operands: with the other operands fixed, the op is linear in each group. The tangent of the result
# is the sum over the groups of the op with the group's operands replaced by their tangents.
_LINEAR: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    **dict.fromkeys(
        (
            "astype", "avg_pool", "broadcast_to", "conj", "cumulative_sum", "deg2rad", "fft", "fold", "getitem",
            "identity", "ifft", "imag", "irfft", "mean", "negative", "permute_dims", "positive", "rad2deg", "real",
            "reshape", "rfft", "roll", "slice", "sum", "take", "take_along_axis", "tril", "triu", "windows",
        ),
        (("x",),),
    ),
    "add": (("x1", "x2"),),
    "complex": (("real", "imag"),),
    "concat": (("arrays",),),
    "conv": (("x",), ("w",)),
    "convolve": (("x1",), ("x2",)),
    "divide": (("x1",),),
    "matmul": (("x1",), ("x2",)),
    "multiply": (("x1",), ("x2",)),
    "scatter_add": (("values",),),
    "segment_mean": (("data",),),
    "segment_sum": (("data",),),
    "setitem": (("x", "value"),),
    "slice_update": (("x", "value"),),
    "solve": (("x2",),),
    "solve_triangular": (("x2",),),
    "stack": (("arrays",),),
    "subtract": (("x1", "x2"),),
    "where": (("x1", "x2"),),
}  # fmt: skip


def groups(name: str) -> tuple[tuple[str, ...], ...]:
    """The groups of operands that the op of this name is linear in; none if it is linear in no operand."""
    return _LINEAR.get(name, ())
