"""Every op on a batch equals the op on one element after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.registry.tables import get_op
from polytape.testing.calls import attributes_on, device_of
from polytape.testing.case import Case, call, tensors
from polytape.testing.cases import CASES, case_of
from polytape.testing.samples import Sample

SIZE = 3
WITH_OPERANDS = [case for case in CASES if any(not case.op.on_host(k) for k in range(len(case.op.operands)))]
# Their rules depend on which operands are batched, on axes and on keys: all of their samples run.
THOROUGH = (
    "getitem",
    "setitem",
    "scatter_add",
    "take",
    "scatter",
    "matmul",
    "take_along_axis",
    "solve",
    "concat",
    "conv",
)
TOLERANCE = {"float32": 2e-5, "complex64": 2e-5, "float64": 1e-11, "complex128": 1e-11}


def check(case: Case, sample: Sample, dtype: str, mapped: list[int]) -> bool:
    """Compare one call with the operands ``mapped`` batched; False if the sample cannot be computed one by one."""
    op, device = case.op, device_of("numpy")
    attributes = attributes_on(case, sample, device)
    drawn = [sample.hosts(dtype, seed=seed) for seed in range(SIZE)]
    rows = [[drawn[b if k in mapped else 0][k] for k in range(len(drawn[0]))] for b in range(SIZE)]
    operands = [tensors(op, row, device, sample.layout) for row in rows]
    with np.errstate(all="ignore"):
        try:
            expected = [call(op, row, attributes) for row in operands]
        except pt.PolytapeError:
            return False  # indices drawn for one element do not fit another, for example
        batches = [pt.stack([row[k] for row in operands]) if k in mapped else x for k, x in enumerate(operands[0])]
        axes = tuple(0 if k in mapped else None for k in range(len(batches)))
        results = pt.vmap(lambda *xs: list(call(op, xs, attributes)), axes)(*batches)
    for index, y in enumerate(results):
        compare(y, np.stack([np.asarray(outputs[index].numpy()) for outputs in expected]), f"{sample} {dtype} {mapped}")
    return True


def compare(y: pt.Tensor, expected: Any, what: str) -> None:
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype), what
    tolerance = TOLERANCE.get(y.dtype.name, 0.0)
    finite = expected[np.isfinite(expected)] if tolerance else expected
    scale = float(np.abs(finite).max(initial=1.0)) if tolerance else 0.0
    np.testing.assert_allclose(y.numpy(), expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def subsets(case: Case, sample: Sample) -> list[list[int]]:
    """All operands, and each operand alone."""
    positions = [k for k in range(len(sample.operands)) if not case.op.on_host(k)]
    return [positions, *([[k] for k in positions] if len(positions) > 1 else [])] if positions else []


def dtype_of(sample: Sample) -> str:
    return next(name for name in ("float32", "int32", "complex64", "bool", *sample.dtypes()) if name in sample.dtypes())


@pytest.mark.parametrize("row", WITH_OPERANDS, ids=str)
def test_an_op_on_a_batch_equals_the_op_on_each_element(row: Case) -> None:
    sample = row.samples[0]
    checked = [check(row, sample, dtype_of(sample), mapped) for mapped in subsets(row, sample)]
    assert not checked or any(checked)


@pytest.mark.parametrize("name", THOROUGH)
def test_indices_axes_and_ranks_of_all_samples(name: str) -> None:
    row = case_of(name)
    for sample in row.samples:
        for mapped in subsets(row, sample):
            check(row, sample, dtype_of(sample), mapped)


def test_an_index_out_of_range_does_not_reach_another_element() -> None:
    x, positions = pt.asarray([[1.0, 2.0], [3.0, 4.0]]), pt.asarray([[0, 2], [1, 0]])
    with pytest.raises(IndexError):
        pt.vmap(lambda x, i: pt.take(x, i))(x, positions)
    with pytest.raises(IndexError):
        pt.vmap(lambda x, i: x[i])(x, positions)
    negative = pt.vmap(lambda x, i: pt.take(x, i))(x, pt.asarray([[-1, -2], [0, -1]]))
    assert negative.tolist() == [[2.0, 1.0], [3.0, 4.0]]


def test_an_axis_that_exists_only_in_the_batch_is_rejected() -> None:
    for f in (
        lambda x: pt.sum(x, axis=-1),
        lambda x: pt.cumulative_sum(x, axis=0),
    ):
        with pytest.raises(pt.PolytapeError):
            pt.vmap(f)(pt.ones((3,)))


def test_an_op_of_a_plugin_is_batched_by_its_body() -> None:
    from polytape.ops import dtype_rules, shape_rules
    from polytape.registry import tables

    if tables.find_op("tests_reversed_square") is None:

        @pt.op(dtype=dtype_rules.same_dtype, shape=shape_rules.same_shape)
        def tests_reversed_square(x: pt.TensorLike, /) -> pt.Tensor:
            """The square of x in reversed order."""
            assert isinstance(x, pt.Tensor)
            return x[::-1] * x[::-1]

    y = pt.vmap(get_op("tests_reversed_square"))(pt.asarray([[1.0, 2.0], [3.0, 4.0]]))
    assert y.tolist() == [[4.0, 1.0], [16.0, 9.0]]


def test_matmul_of_a_batch_and_a_matrix_is_one_product() -> None:
    calls = []
    x, w = pt.ones((5, 3)), pt.ones((3, 2))

    def counted(x1: Any, x2: Any) -> Any:
        calls.append((x1.shape, x2.shape))
        return x1 @ x2

    with pt.kernel("matmul", backend="numpy", priority=100)(counted):
        pt.vmap(lambda x: x @ w)(x)
    assert calls == [((5, 3), (3, 2))]


def test_an_index_per_element_is_one_selection() -> None:
    calls = []
    x, i = pt.asarray(np.arange(12.0).reshape(3, 4)), pt.asarray([1, 0, 3])

    def counted(x: Any, *indices: Any, key: Any) -> Any:
        calls.append(key)
        return x[np.arange(3), indices[-1]]

    with pt.kernel("getitem", backend="numpy", priority=100)(counted):
        y = pt.vmap(lambda x, i: x[i])(x, i)
    assert y.tolist() == [1.0, 4.0, 11.0] and len(calls) == 1
