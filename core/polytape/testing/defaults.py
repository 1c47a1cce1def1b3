"""The defaults of a row, which follow from the rules of its op: operands, further samples, error samples.

A dtype rule states which dtypes an op accepts and which it rejects, a shape rule how axes and shapes behave (see
`polytape.ops.declaration.states`). A row therefore states only what is specific to its op: values near which results
are easily wrong, its tolerance, its kinks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..errors import DTypeError, ShapeError
from ..ops import shape_rules
from ..ops.documentation import facts_of
from .makers import (
    Maker,
    anything,
    bits,
    booleans,
    complexes,
    floating,
    floats,
    integers,
    numbers,
    reals,
    whole,
)
from .samples import ErrorSample, Sample, error, sample

__all__ = ["REDUCTIONS", "default_errors", "default_operands", "default_result", "default_samples"]

_MAKERS: Final[dict[str, Callable[..., Maker]]] = {
    "any dtype": anything,
    "bool": booleans,
    "complex": complexes,
    "floating": floating,
    "integer": whole,
    "integer or bool": bits,
    "numeric": numbers,
    "real": reals,
    "real floating": floats,
    "real numeric": reals,
}
REDUCTIONS: Final = (shape_rules.reduced, shape_rules.reduced_nonempty, shape_rules.reduced_one)


def maker_of(op: Any) -> Callable[..., Maker]:
    """The maker of operands with the dtypes that the op accepts."""
    takes = facts_of(op.dtype_rule).takes or "any dtype"
    if op.floating:
        return reals if takes == "real floating" else numbers
    return _MAKERS[takes]


def default_operands(op: Any) -> tuple[list[Maker], dict[str, Any]]:
    """The operands and attributes of a row's first sample."""
    make = maker_of(op)
    if op.shape_rule in REDUCTIONS:
        return [make(4, 5)], {"axis": 1}
    if op.shape_rule is shape_rules.along_axis:
        return [make(3, 4)], {}
    return [make(2, 3) for _ in op.operands], {}


def default_result(op: Any) -> str | Callable[[str, dict[str, Any]], str]:
    """The result's dtype: a name, ``same`` for the dtype of the operands, or a function of it."""
    if op.floating:
        return _floating
    name = facts_of(op.dtype_rule).returns
    return name if name in ("bool", "int64") else "same"


def _floating(dtype: str, attributes: dict[str, Any]) -> str:
    """The dtype in which an op that casts integers computes."""
    return dtype if dtype.startswith(("bfloat", "float", "complex")) else "float32"


def default_samples(op: Any, first: Sample) -> list[Sample]:
    """The further samples that follow from the shape rule."""
    if not first.operands:
        return []
    maker = first.operands[0]

    def at(*shape: int, **attributes: Any) -> Sample:
        return sample(maker.at(shape), **attributes)

    if op.shape_rule is shape_rules.along_axis:
        empty = [at(3, 0), at(0), at(2, 0, 4, axis=1)]
        return [at(5), at(3, 4, axis=0), at(2, 3, 4, axis=1), at(2, 1, 3, 1, 2, axis=-2), at(0, 3), at(1), *empty]
    if op.shape_rule not in REDUCTIONS:
        return []
    samples = [at(), at(1), at(4, 5), at(4, 5, axis=0), at(4, 5, keepdims=True), at(4, 5, axis=-1, keepdims=True)]
    if op.shape_rule is not shape_rules.reduced_one:
        samples += [at(2, 3, 4, axis=(0, 2)), at(2, 3, 4, axis=(-1, 0), keepdims=True), at(2, 3, 4, axis=())]
        samples += [at(2, 1, 3, 1, 2, axis=(1, 3))]
    if op.shape_rule is shape_rules.reduced:
        samples += [at(0, 3, axis=0, smooth=False), at(0, 3, axis=1)]
    else:
        samples += [at(3, 0, axis=0), at(2, 3, 4, axis=-2)]
    return samples


def default_errors(op: Any, operands: Sequence[Maker]) -> list[ErrorSample]:
    """The calls that the dtype rule or the shape rule must reject."""
    return [*_dtype_errors(op, operands), *_shape_errors(op, operands)]


def _dtype_errors(op: Any, operands: Sequence[Maker]) -> list[ErrorSample]:
    rejects = facts_of(op.dtype_rule).rejects
    errors = []
    for rejected, part, make, dtype in (
        ("bool", "is not defined for bool", booleans, "bool"),
        ("complex", "is not defined for complex numbers", numbers, "complex64"),
        ("not floating", "needs floating-point numbers", integers, "int32"),
        ("not real floating", "needs floating-point numbers", integers, "int32"),
        ("not real floating", "is not defined for complex numbers", numbers, "complex64"),
        ("not bool", "is defined only for bool", integers, "int32"),
        ("neither integer nor bool", "is defined only for integers and bool", floats, "float32"),
        ("not an integer", "is defined only for integers", floats, "float32"),
        ("not complex", "is defined only for complex numbers", floats, "float32"),
    ):
        if rejected in (rejects, *rejects.split(" or ")) and not (op.floating and dtype == "int32"):
            bad_operands = [make(*maker.shape) if maker.varies else maker for maker in operands]
            if rejects == "not bool":
                bad_operands = [make(*maker.shape) for maker in operands]
            errors.append(error(DTypeError, part, *bad_operands, varied=dtype))
    return errors


def _shape_errors(op: Any, operands: Sequence[Maker]) -> list[ErrorSample]:
    if not operands:
        return []

    def bad(part: str, *shapes: tuple[int, ...], **attributes: Any) -> ErrorSample:
        makers = [maker.at(shape) for maker, shape in zip(operands, shapes, strict=False)]
        varied = next((maker.dtypes for maker in makers if maker.varies), ("float32",))
        dtype = "float32" if "float32" in varied else varied[0]
        return error(ShapeError, part, *makers, varied=dtype, **attributes)

    rule = op.shape_rule
    if rule is shape_rules.broadcast and len(operands) > 1:
        return [bad("the shapes do not broadcast", (2, 3), (4,), ())]
    if rule is shape_rules.along_axis or rule in REDUCTIONS:
        errors = [
            bad("there is no axis 2", (2, 3), axis=2),
            bad("there is no axis -3", (2, 3), axis=-3),
            bad("there is no axis", (), axis=-1),
        ]
        if rule in (shape_rules.reduced, shape_rules.reduced_nonempty):
            errors.append(bad("an axis is named twice", (2, 3), axis=(0, -2)))
        if rule in (shape_rules.reduced_nonempty, shape_rules.reduced_one):
            errors.append(bad("no elements to choose from", (0, 3), axis=0))
        if rule in (shape_rules.reduced_one, shape_rules.along_axis):
            errors.append(bad("takes a single axis", (2, 3), axis=(0, 1)))
        return errors
    return []
