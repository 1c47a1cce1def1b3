"""Values as JSON: what is written reads back as the same value, of the same type."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph.exchange.values import Malformed, Slot, decode, decode_tree, encode, encode_tree
from polytape.ops.keys import Key

BOUND = st.none() | st.integers(-(2**63), 2**63)
PART = st.one_of(
    st.tuples(st.just("slice"), BOUND, BOUND, BOUND.filter(lambda step: step != 0)),
    st.tuples(st.just("int"), st.integers()),
    st.sampled_from([("newaxis",), ("ellipsis",), ("array",)]),
)
FLOATS = st.floats() | st.sampled_from([math.nan, -math.nan, math.inf, -math.inf, -0.0])
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    FLOATS,
    st.builds(complex, FLOATS, FLOATS),
    st.text(),
    st.sampled_from([pt.float32, pt.int64, pt.bool, pt.complex128, pt.bfloat16]),
    st.lists(PART, max_size=4).map(Key),
)
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=8)
TREE = st.recursive(
    VALUE | st.builds(Slot, st.just("tensor"), st.integers()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(x: Any, y: Any) -> bool:
    """Whether two values have the same type and print the same, with the signs of NaN and zero."""
    if type(x) is not type(y):
        return False
    if type(x) is float:
        return repr(x) == repr(y) and math.copysign(1.0, x) == math.copysign(1.0, y)
    if type(x) is complex:
        return same(x.real, y.real) and same(x.imag, y.imag)
    if isinstance(x, (tuple, list)):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, dict):
        return list(x) == list(y) and all(same(x[key], y[key]) for key in x)
    return repr(x) == repr(y) if isinstance(x, Slot) else bool(x == y)


@settings(deadline=None, database=None)
@given(VALUE)
def test_an_attribute_reads_back(value: Any) -> None:
    assert same(decode(json.loads(json.dumps(encode(value), allow_nan=False)), "here"), value)


@settings(deadline=None, database=None)
@given(TREE)
def test_a_structure_reads_back(tree: Any) -> None:
    assert same(decode_tree(json.loads(json.dumps(encode_tree(tree), allow_nan=False)), "here"), tree)


@pytest.mark.parametrize("value", [object(), {1}, [1], {"a": 1}, len, b"x", pt.asarray(1.0)])
def test_a_value_without_a_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"eval": "1"}, "an object with one of float, complex, dtype, device, key"),
        ({"float": "1.0"}, "one of nan, -nan, inf, -inf"),
        ({"complex": [1.0]}, "two floats"),
        ({"dtype": "object"}, "the name of a dtype"),
        ({"key": [["slice", 0, 1, 0]]}, "a slice whose step is not 0"),
        ({"key": [["int", True]]}, "a part of an index"),
        ({"key": [["slice", 0]]}, "a part of an index"),
        (math.inf, "a finite number"),
    ],
)
def test_a_node_that_stands_for_no_value_is_an_error(node: Any, expected: str) -> None:
    with pytest.raises(Malformed, match=f"here: expected .*{expected}"):
        decode(node, "here")
