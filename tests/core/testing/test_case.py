"""Rows, samples and makers: their text, their draws and their defaults."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.ops import arithmetic, exponential, reduction, shape_rules
from polytape.testing import (
    CASES,
    Case,
    anything,
    assert_close,
    booleans,
    case_of,
    error,
    exactly,
    floats,
    integers,
    numbers,
    positive,
    sample,
)


def test_a_row_and_its_samples_print_as_calls() -> None:
    case = Case(reduction.max, floats(4, 5), axis=1, keepdims=True, more=[sample(floats(), axis=None)])
    assert str(case) == "max"
    printed = [repr(each) for each in case.samples]
    assert printed[:3] == ["(floats(4, 5), axis=1, keepdims=True)", "(floats(), axis=None)", "(floats())"]
    layouts = ("transposed", "strided", "reversed")
    assert printed[-6:-3] == [f"(floats(4, 5), axis=1, keepdims=True, {layout})" for layout in layouts]
    assert printed[-3:] == [f"(floats(4, 5), {layout})" for layout in layouts]  # over all axes


def test_draws_are_reproducible_and_differ_between_samples() -> None:
    first, second = sample(floats(3)), sample(floats(3), axis=0)
    assert first.hosts("float64")[0].tolist() == first.hosts("float64")[0].tolist()
    assert first.hosts("float64")[0].tolist() != second.hosts("float64")[0].tolist()
    assert first.hosts("float64")[0].tolist() != first.hosts("float64", seed=1)[0].tolist()


def test_an_elementwise_row_has_samples_of_special_shapes_and_values() -> None:
    shapes = [tuple(maker.shape for maker in each.operands) for each in case_of("add").samples]
    for expected in (((), ()), ((1,), (1,)), ((0, 3), (1, 3)), ((2, 3), (3,)), ((2, 1, 3, 1), (4, 1, 2))):
        assert expected in shapes
    assert {each.layout for each in case_of("add").samples} == {"", "transposed", "strided", "reversed"}
    special = case_of("add").samples[-1].hosts("float32")
    pairs = set(zip(*(map(str, host.tolist()) for host in special), strict=True))
    assert {("nan", "inf"), ("-0.0", "0.0"), ("inf", "-inf")} <= pairs


def test_makers_draw_in_every_dtype_they_vary_over() -> None:
    for maker in (floats(50), numbers(50), anything(50), positive(50)):
        for dtype in maker.dtypes:
            if dtype != "bfloat16":
                array = maker.make(np.random.default_rng(0), np.dtype(dtype))
                assert array.dtype == dtype
                assert len(set(array.tolist())) > 1
    assert positive(50).make(np.random.default_rng(0), np.dtype("float64")).min() >= 0.25
    assert integers(50, low=2, high=3).make(np.random.default_rng(0), np.dtype("float64")).dtype == np.int32
    assert booleans(2).dtypes == ("bool",)
    assert exactly([1.5, 2.5]).make(np.random.default_rng(0), np.dtype("float16")).tolist() == [1.5, 2.5]


def test_untied_operands_differ_from_each_other_and_from_zero() -> None:
    hosts = case_of("maximum").samples[0].untied()
    values = np.sort(np.concatenate([*(host.ravel() for host in hosts), [0.0]]))
    assert np.diff(values).min() > 0.05


def test_every_row_has_an_operand_of_rank_0_unless_the_op_needs_an_axis() -> None:
    ranks_by_op = {str(case): {len(maker.shape) for each in case.samples for maker in each.operands} for case in CASES}
    without = {name for name, ranks in ranks_by_op.items() if ranks and 0 not in ranks}
    for name in without:
        op = {str(case): case.op for case in CASES}[name]
        if op.elementwise or op.shape_rule in (shape_rules.same_shape, shape_rules.reduced):
            raise AssertionError(f"{name} takes operands of any rank, but its row has none of rank 0")


def test_an_error_sample_stores_type_part_and_dtype() -> None:
    failing = error(pt.PolytapeError, "no", floats(2), varied="float64", axis=3)
    assert (failing.exception, failing.part, failing.dtype) == (pt.PolytapeError, "no", "float64")
    assert failing.attributes == {"axis": 3}


def test_an_op_without_a_numpy_function_of_its_name_needs_a_reference() -> None:
    with pytest.raises(AttributeError, match="relu"):
        Case(pt.nn.relu, floats(2))
    assert Case(exponential.exp, floats(2)).reference is np.exp


def test_assert_close_measures_in_units_of_the_last_place() -> None:
    exact = np.asarray([1.0], "float32")
    two_ulp_off = np.nextafter(np.nextafter(exact, np.float32(2)), np.float32(2))
    assert_close(two_ulp_off, exact.astype("float64"), "add", ulp=2.0)
    with pytest.raises(AssertionError, match=r"add\n  expected: .*1\.0.* at \[0\], to 1 ulp\n  got: .*1\.0000002"):
        assert_close(two_ulp_off, exact.astype("float64"), "add", ulp=1.0)


def test_assert_close_compares_nan_infinities_and_signs_of_zeros() -> None:
    inf, nan = float("inf"), float("nan")
    assert_close(np.asarray([inf, nan, 0.0], "float16"), [1e6, nan, 1e-12], "exp")
    for got, expected in ((inf, 1.0), (1.0, inf), (nan, 1.0), (0.0, nan), (-inf, inf)):
        with pytest.raises(AssertionError):
            assert_close(np.asarray([got]), [expected], "exp")
    assert_close(np.asarray([-0.0]), [0.0], "exp")
    with pytest.raises(AssertionError):
        assert_close(np.asarray([-0.0]), [0.0], "exp", signs=True)
    assert_close(np.asarray([complex(1.0, -0.0)]), [1.0 + 0.0j], "exp")
    for got in (complex(1.0, -0.0), complex(-0.0, 1.0)):
        assert_close(np.asarray([got]), [got], "exp", signs=True)
        with pytest.raises(AssertionError):
            assert_close(np.asarray([got]), [complex(abs(got.real), abs(got.imag))], "exp", signs=True)


def test_a_row_without_operands_takes_them_from_the_rules_of_its_op() -> None:
    case = Case(arithmetic.add)
    assert repr(case.samples[0]) == "(numbers(2, 3), numbers(2, 3))"
    assert [(failing.part, failing.dtype) for failing in case.errors] == [
        ("is not defined for bool", "bool"),
        ("the shapes do not broadcast", "float32"),
    ]
    assert Case(arithmetic.divide).errors[0].part == "the shapes do not broadcast"  # it casts integers
    reduced = Case(reduction.argmax)
    assert reduced.samples[0].attributes == {"axis": 1} and reduced.result("float32", {}) == ("int64",)
    parts = {failing.part for failing in reduced.errors}
    assert parts >= {"no elements to choose from", "takes a single axis", "there is no axis 2"}
