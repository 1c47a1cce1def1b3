"""Every op that some backend has a kernel for, at three sizes, with the operands and the references of the kit's rows.

Small is the row's first sample; medium has about 10,000 elements, or takes about as long, and large 1,000,000. A
backend has the cells of its own kernels: where it runs the kernel of a backend that it extends, or the op's body, the
case is skipped. Ops that only make another view of an operand move nothing: they are a family of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt
from polytape.testing.agreement import assert_agree
from polytape.testing.calls import attributes_on, expected_values
from polytape.testing.case import call as results_of, tensors
from polytape.testing.cases import CASES as ROWS
from polytape.testing.kernels import tried_kernels

from .case import Call, Case, Skipped
from .operands import SAMPLES, SIDES, operands_of

__all__ = ["CASES", "VIEWS"]

VIEWS: Final = frozenset(
    {"bitcast", "broadcast_to", "flat_part", "getitem", "identity", "imag", "permute_dims", "positive", "real",
     "reshape", "slice", "stop_gradient", "windows"}
)  # fmt: skip
# In float32, these do nothing.
_DTYPES: Final = {"astype": "int32", "conj": "complex64", "imag": "complex64", "real": "complex64"}
# Kernels add up more terms than the row's samples have; the faults that this check is for are gross.
_FACTOR: Final = 4096.0


def _dtype(op: str, sample: Any) -> str:
    names = sample.dtypes()
    if op in _DTYPES:
        return _DTYPES[op]
    return next((name for name in ("float32", "int32", "bool", "complex64") if name in names), names[0])


def _sample(row: Any, size: str) -> Any:
    """The sample of a size; None if there is none."""
    first = row.samples[0]
    return first if size == "small" else operands_of(row.op.name, first, SIDES[size])


def _own(row: Any, sample: Any, hosts: Any, name: str) -> None:
    """Raise unless a kernel of the backend itself runs."""
    tried = tried_kernels(row, sample, hosts, name)
    if not tried or not tried[-1][1]:
        raise Skipped(f"{name} runs {row.op.name} by its definition")
    if tried[-1][0].backend != name:
        raise Skipped(f"{name} runs {row.op.name} by the kernel of a backend that it extends")


def kernel(row: Any, size: str) -> Callable[[str], Call]:
    """An op at a size, in float32 if it takes that."""

    def make(device: str) -> Call:
        name = device.partition(":")[0]
        # Large operands of an elementwise op repeat the medium ones: its reference may be a loop in Python.
        repeated = size == "large" and row.op.elementwise and row.op.name not in SAMPLES
        sample = _sample(row, "medium" if repeated else size)
        hosts = sample.hosts(_dtype(row.op.name, sample))
        expected = expected_values(row, sample, hosts)
        if repeated:
            shape = (SIDES[size], SIDES[size])
            hosts = [np.resize(host, shape) if host.ndim == 2 else host for host in hosts]
            expected = tuple(np.resize(y, shape) for y in expected)
        _own(row, sample, hosts, name)
        resolved = pt.asarray(0.0, device=device).device
        operands, attributes = tensors(row.op, hosts, resolved, sample.layout), attributes_on(row, sample, resolved)
        got = [y.numpy() for y in results_of(row.op, operands, attributes)]
        assert_agree(row, name, sample, hosts, got, expected, f"{row.op.name}, {size}", factor=_FACTOR)
        op, arguments = row.op, list[Any](operands)
        if op.variadic:
            fixed = len(op.operands) - 1
            arguments = [*operands[:fixed], operands[fixed:]]
        return lambda: op(*arguments, **attributes)

    return make


def _cases() -> list[Case]:
    names = {status.name for status in pt.backends() if status.status == "ready"}
    served = {x.op for name in names for x in pt.get_backend(name).all_kernels()}
    return [
        Case(
            f"{'views' if row.op.name in VIEWS else 'kernels'}/{row.op.name}/{size}",
            kernel(row, size),
            counted=size != "large",
        )
        for row in ROWS
        if row.op.name in served
        for size in ("small", *SIDES)
        if _sample(row, size) is not None
    ]


CASES: Final = tuple(_cases())
