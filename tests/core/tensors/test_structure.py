"""Structures of tensors, flattened and rebuilt."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest

import polytape as pt
from polytape.tensors.structure import leaves, rebuild

Pair = namedtuple("Pair", "a b")
X, Y = object(), object()


@pytest.mark.parametrize(
    "structure",
    [
        [X, Y],
        (X, Y),
        {"b": X, "a": Y},
        Pair(X, Y),
        [[X], (Y,)],
        {"k": [X, {"z": (Y,)}]},
        OrderedDict([("z", X), ("a", [Y])]),
        [X, None, Y],
        [],
        {},
        X,
    ],
    ids=[
        "list",
        "tuple",
        "dict",
        "namedtuple",
        "nested",
        "deep",
        "ordered",
        "none",
        "empty list",
        "empty dict",
        "leaf",
    ],
)
def test_a_flattened_structure_is_rebuilt_identically(structure: Any) -> None:
    rebuilt = rebuild(structure, leaves(structure))
    assert rebuilt == structure and type(rebuilt) is type(structure)
    if isinstance(structure, dict):
        assert list(rebuilt) == list(structure)


def test_a_tensor_is_a_leaf_and_not_a_sequence() -> None:
    x = pt.asarray([1.0, 2.0])
    assert leaves(x)[0] is x and leaves([x, None])[1] is None and rebuild(x, [3]) == 3
    assert leaves({"v": pt.Variable(1.0)})[0].item() == 1.0


def test_none_is_a_leaf() -> None:
    assert leaves(None) == [None] and leaves([None, X]) == [None, X] and rebuild([None, X], [1, 2]) == [1, 2]
