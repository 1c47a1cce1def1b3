"""Node: the record of one op."""

from __future__ import annotations

import polytape as pt
from polytape.tensors.node import leaf


def test_later_records_have_larger_numbers() -> None:
    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0
        z = y * 2.0
    assert x.node is not None and y.node is not None and z.node is not None
    assert x.node.seq < y.node.seq < z.node.seq


def test_a_node_prints_its_op_and_shape() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert repr(y.node).endswith(": multiply, (2,))") and repr(x.node).endswith(": leaf, (2,))")


def test_a_released_record_holds_no_arrays_but_keeps_its_shape() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    node = y.node
    assert node is not None and node.parents == () and node.arrays == () and node.plan is None
    assert node.shape == (2,)


def test_a_leaf_has_no_tapes_of_its_own() -> None:
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
    assert x.node is not None and x.node.tapes == () and leaf(x.type, (1,)).parents == ()
