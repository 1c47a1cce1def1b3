"""Correct backends of several kinds pass the conformance kit; what does not apply to them is skipped with a reason."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Kernel, Limits
from polytape.dispatch.widening import WIDER
from polytape.dtypes import names_of
from polytape.registry import tables
from polytape.testing import CASES, CHECKS, TRANSFERS, case_of
from polytape.testing.conformance import run_whole
from polytape.testing.limits import Inapplicable, check_capabilities, checked
from polytape.testing.tiers import TIERS
from polytape_numpy.kernels import build

GUIDE = Path(__file__).parents[3] / "docs" / "backends" / "authors-guide.md"
EVERY = [f"{prefix}{bits}" for prefix in ("int", "uint") for bits in (8, 16, 32, 64)]
EVERY += ["bool", "float16", "float32", "float64", "complex64", "complex128"]


def guides_box() -> dict[str, Any]:
    """The names that the guide's code for a backend with its own memory defines."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, Any] = {"np": np, "pt": pt, "build": build}
    code = next(block for block in blocks if "class Box" in block)
    exec(code.partition("with pt.register_backend(box)")[0], namespace)
    return namespace


def box_backend(name: str, kernels: list[Kernel] | None = None, **members: Any) -> pt.Backend:
    """The guide's backend under another name, with other members or kernels of NumPy arrays."""
    guide = guides_box()
    box = guide["box"]
    copied = ("array_type", "from_host", "to_host", "copy", "empty", "synchronize", "lift", "dtypes")
    settings: dict[str, Any] = {member: getattr(box, member) for member in copied}
    settings |= {"devices": lambda: [(name, 1)], "automatic": False, **members}
    kernels = [guide["boxed"](kernel) for kernel in (build(np) if kernels is None else kernels)]
    return pt.Backend(name=name, kernels=kernels, **settings)


def results(backend: str, cases: list[Any]) -> dict[str, list[str]]:
    """The checks that passed, failed, or did not apply, each with op and check."""
    outcomes: dict[str, list[str]] = {"passed": [], "failed": [], "inapplicable": []}
    for case in cases:
        for check in CHECKS:
            try:
                checked(check, case, backend)
                outcomes["passed"].append(f"{case}: {check.__name__}")
            except Inapplicable as reason:
                outcomes["inapplicable"].append(f"{case}: {reason}")
            except AssertionError as error:
                outcomes["failed"].append(f"{case}: {check.__name__}: {error}")
    return outcomes


def primitives_only() -> pt.Backend:
    """It has a kernel of each primitive, for the dtypes that need one."""
    taken: dict[str, set[str]] = {}
    kernels = []
    # A kernel for certain dtypes comes before one for "any", which serves what is left.
    for kernel in sorted(build(np), key=lambda kernel: kernel.dtypes == ("any",)):
        op = tables.get_op(kernel.op)
        if not op.primitive:
            continue
        if "any" not in op.primitive_for:
            needed = {name for entry in op.primitive_for for name in names_of(entry)} - taken.setdefault(op.name, set())
            names = needed & {name for entry in kernel.dtypes if type(entry) is str for name in names_of(entry)}
            if not names:
                continue
            taken[op.name] |= names
            kernel = Kernel(op.name, kernel.fn, dtypes=sorted(names))
        kernels.append(kernel)
    return box_backend("primitives", kernels)


def without_some() -> pt.Backend:
    kernels = [kernel for kernel in build(np) if kernel.op not in ("exp", "max", "scatter")]
    return box_backend("partial", kernels, limits=Limits(missing=["exp", "max", "scatter"]))


FACTORIZATIONS = ("cholesky", "eig", "eigh", "lu_factor", "qr", "solve_triangular", "svd")


def without_lapack() -> pt.Backend:
    """The host computes the factorizations."""
    kernels = [kernel for kernel in build(np) if kernel.op not in FACTORIZATIONS]
    return box_backend("host-lapack", kernels, host_ops=FACTORIZATIONS)


def wide_only() -> pt.Backend:
    """Its kernels serve dtypes of 32 bits and more, but for the casts; primitives run the others by widening."""
    primitives = [kernel for kernel in build(np) if tables.get_op(kernel.op).primitive]
    taken: dict[str, set[str]] = {}
    kernels = []
    # A kernel for certain dtypes comes before one for "any", which serves what is left.
    for kernel in sorted(primitives, key=lambda kernel: kernel.dtypes == ("any",)):
        names = {name for entry in kernel.dtypes if type(entry) is str for name in names_of(entry)}
        pairs = [entry for entry in kernel.dtypes if type(entry) is tuple]
        if kernel.op not in ("astype", "bitcast"):
            names -= set(WIDER)
        names -= taken.setdefault(kernel.op, set())
        taken[kernel.op] |= names
        if names or pairs:
            kernels.append(Kernel(kernel.op, kernel.fn, dtypes=[*sorted(names), *pairs], when=kernel.when))
    return box_backend("wide", kernels)


def without_subnormals() -> pt.Backend:
    def flushed(kernel: Kernel) -> Kernel:
        def run(*arrays: Any, **attributes: Any) -> Any:
            y = np.asarray(kernel.fn(*arrays, **attributes))
            return np.where(np.abs(y) < np.finfo(y.dtype).tiny, np.zeros((), y.dtype), y) if y.dtype.kind == "f" else y

        run.__signature__ = __import__("inspect").signature(kernel.fn)  # type: ignore[attr-defined]
        return Kernel(kernel.op, run, dtypes=kernel.dtypes)

    kernels = [flushed(kernel) if kernel.op in ("softmax", "sigmoid") else kernel for kernel in build(np)]
    return box_backend("flushing", kernels, limits=Limits(subnormals=False))


BACKENDS: dict[str, Callable[[], pt.Backend]] = {
    "box": lambda: guides_box()["box"],
    "float32 only": lambda: box_backend("single", dtypes=["float32"]),
    "no float64, no uint64": lambda: box_backend("narrow", dtypes=["bool", "int32", "int64", "float16", "float32"]),
    "primitives only": primitives_only,
    "partial": without_some,
    "factorizations on the host": without_lapack,
    "wide kernels only": wide_only,
    "no subnormals": without_subnormals,
}


@pytest.fixture(params=BACKENDS)
def fair(request: pytest.FixtureRequest) -> Iterator[str]:
    backend = BACKENDS[request.param]()
    with pt.register_backend(backend):
        yield backend.name


# What a whole kit costs for each of these backends is 2 minutes, so each one runs its own part of the rows; all of them
# with --exhaustive. The backend with primitives alone runs every body, and therefore all rows.
PARTS = 5
FEW = [
    "add",
    "cholesky",
    "bitwise_left_shift",
    "cumulative_sum",
    "floor_divide",
    "fmod",
    "take",
    "exp",
    "sum",
    "softmax",
    "matmul",
    "getitem",
    "argmax",
    "reshape",
    "random_uniform",
    "adam_update",
]


@pytest.mark.parametrize("rows", [pytest.param(FEW, id="few"), pytest.param([], id="all", marks=pytest.mark.slow)])
def test_a_correct_backend_passes(fair: str, rows: list[str], request: pytest.FixtureRequest) -> None:
    cases = [case_of(name) for name in rows] if rows else list(CASES)
    if not rows and fair != "primitives" and not request.config.getoption("--exhaustive"):
        part = zlib.crc32(fair.encode()) % PARTS
        cases = [case for case in cases if zlib.crc32(str(case).encode()) % PARTS == part]
    outcomes = results(fair, cases)
    assert outcomes["failed"] == []
    assert len(outcomes["passed"]) > 3 * len(cases)
    for transfer in TRANSFERS:
        transfer(fair)
    check_capabilities(fair)


BY_PARTS = ["abs", "cos", "exp", "expm1", "log", "log1p", "power", "sin", "sqrt"]


def test_complex_numbers_need_no_kernels_of_these_ops() -> None:
    by_parts = [name for name, op in tables.ops().items() if op.primitive and "any" not in op.primitive_for]
    assert sorted(by_parts) == BY_PARTS
    with pt.register_backend(primitives_only()):
        outcomes = results("primitives", [case_of(name) for name in BY_PARTS])
        assert outcomes["failed"] == []
        assert outcomes["inapplicable"] == []
        x = pt.asarray(np.ones(2, "complex64"), device="primitives")
        for name in BY_PARTS:
            op: Any = tables.get_op(name)
            operands = [x] * len(op.operands)
            assert "its body" in pt.explain(name, *operands), name
            assert op(*operands).device.backend == "primitives"


def test_what_does_not_apply_is_not_counted_as_passed() -> None:
    with pt.register_backend(box_backend("single", dtypes=["float32"])):
        outcomes = results("single", [case_of("logical_not")])
    assert outcomes["passed"] == []
    assert set(outcomes["inapplicable"]) == {
        "logical_not: no sample of logical_not's row has only dtypes that single supports"
    }


def test_an_op_that_is_declared_missing_is_skipped_with_all_that_need_it() -> None:
    with pt.register_backend(without_some()):
        outcomes = results("partial", [case_of("exp"), case_of("sigmoid")])
    assert set(outcomes["inapplicable"]) <= {
        "exp: partial declares exp as missing", "sigmoid: sigmoid needs exp, which partial declares as missing",
    }  # fmt: skip
    assert outcomes["failed"] == []


def test_a_declared_error_widens_the_tolerance_of_one_op_only() -> None:
    def rough(x: Any) -> Any:
        return np.tanh(x) * (1 + 40 * np.finfo(x.dtype).eps)

    kernels = [pt.Kernel("tanh", rough, dtypes=("float32", "float64"))]
    for ulp, failing in ((0.0, True), (64.0, False)):
        limits = Limits(ulp={"tanh": ulp})
        with pt.register_backend(pt.Backend(name="rough", extends="numpy", kernels=kernels, limits=limits)):
            failed = results("rough", [case_of("tanh")])["failed"]
        assert bool(failed) == failing, failed


def test_every_dtype_of_a_row_is_reported() -> None:
    kernels = [pt.Kernel("square", lambda x: x + x, dtypes=("float32", "float64"))]
    with pt.register_backend(pt.Backend(name="twice", extends="numpy", kernels=kernels)):
        text = "\n".join(results("twice", [case_of("square")])["failed"])
    assert "right for" in text and "wrong for float32, float64" in text
    assert "of float32 on twice" in text and "of float64 on twice" in text
    assert "Kernel('square', <lambda>, twice:*, ('float32', 'float64'), from in-process)" in text


def test_a_correct_backend_passes_the_checks_of_a_whole_backend(fair: str) -> None:
    passed, skipped = [], []
    for check in (check for tier in TIERS for check in tier.checks if check.applies is None):
        if check.name == "check_kernels_are_reached":
            continue  # it runs every row
        try:
            run_whole(check.fn, fair)
            passed.append(check.name)
        except Inapplicable:
            skipped.append(check.name)
    # What a backend in one process, which does not report memory use, cannot show; and Adam counts steps in int64.
    assert set(skipped) <= {"check_memory_info", "check_a_new_process", "check_memory_comes_back", "check_optimizers"}
    assert len(passed) > 20
