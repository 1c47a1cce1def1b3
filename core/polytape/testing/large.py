"""The check of large operands, for which kernels work in blocks, by SIMD loops, or by another algorithm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from .. import plugins
from ..ops import shape_rules
from .agreement import assert_agree
from .calls import device_of, expected_values, named, run
from .case import Case
from .compare import widen
from .limits import kernels_in_chain
from .makers import Array
from .samples import Sample

__all__ = ["check_large_operands", "has_large"]

# More than two blocks of any kernel of NumPy's, and no multiple of a block, of a SIMD register or of the period: an
# element that is left out or computed from another one is seen.
_SIZE: Final = 150_001
_PERIOD: Final = 997
# One dtype per loop that kernels have for themselves; all others are the same code.
_DTYPES: Final = ("float16", "float32", "float64", "int8", "uint16", "int32", "int64", "bool", "complex64")


def has_large(case: Case) -> bool:
    """Whether the row, or the op itself, says which large operands there are."""
    return bool(case.large) or _is_elementwise(case)


def _is_elementwise(case: Case) -> bool:
    return case.op.elementwise and case.op.shape_rule in (shape_rules.same_shape, shape_rules.broadcast)


def check_large_operands(case: Case, backend: str) -> None:
    """An elementwise op gives large operands the results of small ones; other ops agree with their reference.

    The small results are what the other checks compare with the reference. Which large operands ops have that are not
    elementwise, the row says (``large``). An op without a kernel runs its body, whose ops have checks of their own.
    """
    if not kernels_in_chain(backend, case.op.name):
        return
    for sample in case.large:
        for dtype in _dtypes(case, sample, backend):
            hosts = sample.hosts(dtype)
            # Sums of many terms round more than the row allows; the faults that this check is for are gross.
            _compare(case, backend, sample, dtype, hosts, expected_values(case, sample, hosts), factor=16.0)
    if _is_elementwise(case):
        for sample in _elementwise(case.samples[0]):
            for dtype in _dtypes(case, sample, backend):
                _check_repeated(case, backend, sample, dtype)


def _dtypes(case: Case, sample: Sample, backend: str) -> list[str]:
    """The dtypes that a sample is run for."""
    supported = {"", *plugins.get_backend(backend).dtypes}
    fixed = [maker.dtypes[0] for maker in sample.operands if not maker.varies]
    names = [name for name in sample.dtypes() if name in ("", *_DTYPES)]
    return [name for name in names if {name, *fixed, *case.result(name, sample.attributes)} <= supported]


def _elementwise(first: Sample) -> Iterator[Sample]:
    """All operands of one shape, and each of them beside numbers."""
    vectors = [maker.at((_PERIOD,)) if maker.shape else maker for maker in first.operands]
    yield Sample(vectors, first.attributes)
    if len(vectors) > 1:
        numbers = [maker.at(()) for maker in first.operands]
        for k, vector in enumerate(vectors):
            yield Sample([*numbers[:k], vector, *numbers[k + 1 :]], first.attributes)


def _check_repeated(case: Case, backend: str, sample: Sample, dtype: str) -> None:
    """The results of operands that repeat the sample's are its results, repeated."""
    hosts = sample.hosts(dtype)
    # Not small for all kernels: some have a threshold below.
    _compare(case, backend, sample, dtype, hosts, expected_values(case, sample, hosts), factor=2.0)
    with np.errstate(all="ignore"):
        results = [y.numpy() for y in run(case, sample, hosts, device_of(backend))[0]]
    large = [np.resize(host, _SIZE) if host.ndim else host for host in hosts]
    expected = [widen(np.resize(y, _SIZE)) for y in results]
    _compare(case, backend, sample, dtype, large, expected, factor=2.0)


def _compare(
    case: Case, backend: str, sample: Sample, dtype: str, hosts: list[Array], expected: Sequence[Any], factor: float
) -> None:
    with np.errstate(all="ignore"):
        values = [y.numpy() for y in run(case, sample, hosts, device_of(backend))[0]]
    what = f"{named(case, sample, dtype, backend)} with large operands"
    for y, name in zip(values, case.result(dtype, sample.attributes), strict=True):
        if y.dtype.name != name:
            raise AssertionError(f"{what}\n  expected: {name}\n  got: {y.dtype}")
    assert_agree(case, backend, sample, hosts, values, expected, what, factor=factor)
