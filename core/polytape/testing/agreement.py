"""Comparison of an op's results with expected ones: one by one, or by what is unique about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .case import Case
from .compare import assert_close, widen
from .limits import allowed_ulp, limits_of
from .makers import Array
from .samples import Sample

__all__ = ["assert_agree", "compared"]


def compared(
    case: Case, attributes: dict[str, Any], hosts: Sequence[Any], results: Sequence[Array]
) -> list[tuple[str, Array]]:
    """What of an op's results is compared, each with a name: the results, or the row's invariants of them."""
    if case.invariants is None:
        return [("", y) for y in results]
    wide = [None if host is None else widen(host) for host in hosts]
    with np.errstate(all="ignore"):
        found = case.invariants([widen(y) for y in results], *wide, **attributes)
    return [(f": {name}", _as_precise(np.asarray(value), results[0])) for name, value in found.items()]


def _as_precise(value: Array, result: Array) -> Array:
    """An invariant, which is computed in the widest dtype, in the precision of the results."""
    if value.dtype.kind not in "fc" or result.dtype.name not in ("float32", "complex64"):
        return value
    return value.astype("complex64" if value.dtype.kind == "c" else "float32")


def assert_agree(
    case: Case,
    backend: str,
    sample: Sample,
    hosts: Sequence[Array],
    got: Sequence[Array],
    expected: Sequence[Any],
    what: str,
    *,
    factor: float = 1.0,
) -> None:
    """Assert that the results of a call on a backend agree with the expected ones, as precisely as the row says.

    Args:
        case, backend, sample: the call.
        hosts: its operands.
        got: the results.
        expected: the expected results, in any dtype.
        what: the name of the call in the error.
        factor: by which the allowed error is larger than the row's.
    Raises:
        AssertionError: they differ; the text gives the first value that does.
    """
    attributes = sample.attributes
    pairs = zip(
        compared(case, attributes, hosts, got),
        compared(case, attributes, hosts, [np.asarray(y) for y in expected]),
        strict=True,
    )
    for (name, actual), (_, exact) in pairs:
        ulp = factor * allowed_ulp(case, backend, actual.dtype.name)
        signs, subnormals = sample.signs and case.invariants is None, limits_of(backend).subnormals
        assert_close(actual, exact, what + name, ulp=ulp, scale=case.scale, signs=signs, subnormals=subnormals)
