"""Results that are unique only up to signs, phases or order: every correct choice passes, and a wrong result fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.testing import CASES, CHECKS, Case, case_of
from polytape.testing.limits import Inapplicable, checked

LINALG = [case for case in CASES if ".linalg." in case.op.module]
NUMPY = {kernel.op: kernel.fn for kernel in pt.get_backend("numpy").all_kernels()}


def phases(dtype: Any, count: int) -> Any:
    """Numbers of magnitude 1 that no LAPACK would choose: -1 and 1 in turns, or for complex numbers i and -1."""
    pattern = [1j, -1.0] if np.dtype(dtype).kind == "c" else [-1.0, 1.0]
    return np.resize(np.asarray(pattern), count).astype(dtype)


def eigh(x: Any) -> Any:
    values, vectors = NUMPY["eigh"](x)
    return values, vectors * phases(x.dtype, x.shape[-1])


def eig(x: Any) -> Any:
    values, vectors = NUMPY["eig"](x)
    reordered = vectors[..., ::-1] * phases(vectors.dtype, x.shape[-1])
    return np.ascontiguousarray(values[..., ::-1]), np.ascontiguousarray(reordered)


def svd(x: Any, *, full_matrices: bool = True) -> Any:
    u, s, vh = NUMPY["svd"](x, full_matrices=full_matrices)
    p = phases(x.dtype, max(u.shape[-1], vh.shape[-2]))
    return u * p[: u.shape[-1]], s, vh * p[: vh.shape[-2], None].conj()


def qr(x: Any, *, mode: str = "reduced") -> Any:
    q, r = NUMPY["qr"](x, mode=mode)
    p = phases(x.dtype, r.shape[-2])
    return q * p, r * p[:, None].conj()


FLIPPED = {"eigh": eigh, "eig": eig, "svd": svd, "qr": qr}


@pytest.mark.parametrize("row", LINALG, ids=str)
def test_a_library_with_other_signs_phases_and_order_passes(row: Case) -> None:
    kernels = [pt.Kernel(name, fn) for name, fn in FLIPPED.items() if name in NUMPY]
    assert len(kernels) == len(FLIPPED)
    with pt.register_backend(pt.Backend(name="flipped", extends="numpy", kernels=kernels)):
        for check in CHECKS:
            try:
                checked(check, row, "flipped")
            except Inapplicable:
                continue


def test_the_flipped_results_differ_from_numpys() -> None:
    for name, fn in FLIPPED.items():
        (host,) = case_of(name).samples[0].hosts("float64")
        assert not all(np.array_equal(y, z) for y, z in zip(fn(host), NUMPY[name](host), strict=True)), name


def unscaled(x: Any, *, full_matrices: bool = True) -> Any:
    u, s, vh = NUMPY["svd"](x, full_matrices=full_matrices)
    return u * x.dtype.type(2.0), s, vh / x.dtype.type(2.0)  # the product is right


def shuffled(x: Any) -> Any:
    values, vectors = NUMPY["eigh"](x)
    return values, vectors[..., ::-1]


def descending(x: Any) -> Any:
    values, vectors = NUMPY["eigh"](x)
    return values[..., ::-1], vectors[..., ::-1]


def full_r(x: Any, *, mode: str = "reduced") -> Any:
    q, r = NUMPY["qr"](x, mode=mode)
    if q.shape[-1] < 2:
        return q, r
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.eye(q.shape[-1], dtype=x.dtype)
    turn[:2, :2] = [[c, -s], [s, c]]
    return q @ turn, turn.T @ r  # orthonormal, and the product is right


def long_vectors(x: Any) -> Any:
    values, vectors = NUMPY["eig"](x)
    return values, vectors * 3


def no_pivots(x: Any) -> Any:
    packed = x[..., ::-1, :].copy()
    n = x.shape[-1]
    with np.errstate(all="ignore"):
        for k in range(n):
            packed[..., k + 1 :, k] /= packed[..., k, k, None]
            packed[..., k + 1 :, k + 1 :] -= packed[..., k + 1 :, k, None] * packed[..., None, k, k + 1 :]
    return packed, np.broadcast_to(np.arange(n)[::-1], x.shape[:-1]).copy()


@pytest.mark.parametrize(
    ("op", "fn", "part"),
    [
        ("svd", unscaled, "U times U"),
        ("eigh", shuffled, "V diag(w) V*"),
        ("eigh", descending, "the values"),
        ("qr", full_r, "R below its diagonal"),
        ("eig", long_vectors, "the norms of the vectors"),
        ("lu_factor", no_pivots, "L at most 1"),
    ],
)
def test_a_wrong_factor_is_detected(op: str, fn: Callable[..., Any], part: str) -> None:
    check = CHECKS[0]
    with (
        pt.register_backend(pt.Backend(name="wrong", extends="numpy", kernels=[pt.Kernel(op, fn)])),
        pytest.raises(AssertionError) as caught,
    ):
        checked(check, case_of(op), "wrong")
    assert part in str(caught.value)
