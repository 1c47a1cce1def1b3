"""The node tests of the ONNX project, an independent oracle."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt

onnx = pytest.importorskip("onnx", reason="the package onnx contains the node tests")

MODULES = (
    "abs add and_ argmax concat div equal exp expand gather greater greater_or_equal identity less less_or_equal log "
    "logsoftmax matmul max min mul neg not_ or_ pow reducemax reducemean reducesum relu reshape sigmoid sign softmax "
    "softmax_cross_entropy_loss sqrt sub tanh transpose where"
)
Attributes = dict[str, Any]


def _axes(inputs: list[Any], attributes: Attributes) -> Any:
    """The axes of a reduction, an attribute or a second input; None, which means all axes, if there are none."""
    axes = inputs[1].tolist() if len(inputs) > 1 else attributes.get("axes", [])
    return tuple(axes) if axes else () if attributes.get("noop_with_empty_axes") else None


def _reduce(op: Any, xs: list[Any], a: Attributes) -> Any:
    return op(xs[0], axis=_axes(xs, a), keepdims=bool(a.get("keepdims", 1)))


def _reshape(xs: list[Any], a: Attributes) -> Any:
    shape = xs[1].tolist()
    if not a.get("allowzero"):  # a 0 copies the operand's size
        shape = [xs[0].shape[axis] if size == 0 else size for axis, size in enumerate(shape)]
    return pt.reshape(xs[0], tuple(shape))


def _expand(xs: list[Any], a: Attributes) -> Any:
    return pt.broadcast_to(xs[0], np.broadcast_shapes(xs[0].shape, tuple(xs[1].tolist())))


def _transpose(xs: list[Any], a: Attributes) -> Any:
    return pt.permute_dims(xs[0], tuple(a.get("perm", reversed(range(xs[0].ndim)))))


def _gather(xs: list[Any], a: Attributes) -> Any:
    return xs[0][(slice(None),) * a.get("axis", 0) + (xs[1],)]


def _cross_entropy(xs: list[Any], a: Attributes) -> Any:
    rank = xs[0].ndim
    logits = pt.permute_dims(xs[0], (0, *range(2, rank), 1))
    losses = pt.nn.sparse_softmax_cross_entropy_with_logits(labels=xs[1], logits=logits)
    return {"mean": pt.mean, "sum": pt.sum, "none": pt.identity}[a.get("reduction", b"mean").decode()](losses)


OPS: dict[str, Callable[[list[Any], Attributes], Any]] = {
    **{
        name: functools.partial(lambda op, xs, a: op(*xs), op)
        for name, op in {
            "Abs": pt.abs, "Add": pt.add, "And": pt.logical_and, "Div": pt.divide, "Equal": pt.equal, "Exp": pt.exp,
            "Greater": pt.greater, "GreaterOrEqual": pt.greater_equal, "Identity": pt.identity, "Less": pt.less,
            "LessOrEqual": pt.less_equal, "Log": pt.log, "MatMul": pt.matmul, "Mul": pt.multiply, "Neg": pt.negative,
            "Not": pt.logical_not, "Or": pt.logical_or, "Pow": pt.power, "Relu": pt.nn.relu, "Sigmoid": pt.nn.sigmoid,
            "Sign": pt.sign, "Sqrt": pt.sqrt, "Sub": pt.subtract, "Tanh": pt.tanh, "Where": pt.where,
        }.items()
    },
    "ArgMax": lambda xs, a: pt.argmax(xs[0], axis=a.get("axis", 0), keepdims=bool(a.get("keepdims", 1))),
    "Concat": lambda xs, a: pt.concat(xs, axis=a["axis"]),
    "Expand": _expand,
    "Gather": _gather,
    "LogSoftmax": lambda xs, a: pt.nn.log_softmax(xs[0], axis=a.get("axis", -1)),
    "Max": lambda xs, a: functools.reduce(pt.maximum, xs),
    "Min": lambda xs, a: functools.reduce(pt.minimum, xs),
    "ReduceMax": lambda xs, a: _reduce(pt.max, xs, a),
    "ReduceMean": lambda xs, a: _reduce(pt.mean, xs, a),
    "ReduceSum": lambda xs, a: _reduce(pt.sum, xs, a),
    "Reshape": _reshape,
    "Softmax": lambda xs, a: pt.nn.softmax(xs[0], axis=a.get("axis", -1)),
    "SoftmaxCrossEntropyLoss": _cross_entropy,
    "Transpose": _transpose,
}  # fmt: skip


def usable(case: Any) -> bool:
    """Whether a node test has a single supported node and supported dtypes, and agrees with the array API standard."""
    node = case.model.graph.node
    if len(node) != 1 or node[0].op_type not in OPS:
        return False
    inputs, expected = case.data_sets[0]
    if not all(isinstance(x, np.ndarray) and x.dtype.kind in "biuf" for x in [*inputs, *expected]):
        return False
    name = node[0].op_type
    integer = any(x.dtype.kind in "iu" for x in inputs)
    if name == "SoftmaxCrossEntropyLoss":  # weights, ignored labels and a second output are not supported
        return len(inputs) == 2 and len(expected) == 1 and not {"ignore_index"} & {a.name for a in node[0].attribute}
    if name == "Pow" and expected[0].dtype != inputs[1].dtype and expected[0].dtype.kind in "iu":
        return False  # in ONNX, the dtype of the base alone determines the result's
    if name == "ReduceMax" and (inputs[0].dtype.kind == "b" or "empty_set" in case.name):
        return False  # the standard's max is defined for numbers, and for at least one
    return not (name == "Div" and integer) and "select_last_index" not in case.name


def node_tests() -> list[Any]:
    """The usable node tests; ONNX creates the node tests when their modules are imported."""
    collected = importlib.import_module("onnx.backend.test.case.node")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their expected values overflow on purpose
        for name in MODULES.split():
            importlib.import_module(f"onnx.backend.test.case.node.{name}")
    return [case for case in collected._NodeTestCases if usable(case)]


CASES = node_tests()


def test_every_op_that_onnx_tests_is_covered() -> None:
    assert len(CASES) > 150
    assert {case.model.graph.node[0].op_type for case in CASES} == set(OPS)


@pytest.mark.parametrize("node_test", CASES, ids=lambda case: case.name.removeprefix("test_"))
def test_the_result_of_a_node_agrees_with_onnx(node_test: Any, backend: str) -> None:
    (node,) = node_test.model.graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for inputs, (expected,) in node_test.data_sets:
        with pt.device(backend), np.errstate(all="ignore"):
            host_shape = node.op_type in ("Reshape", "Expand")
            xs = [x if position and host_shape else pt.asarray(x) for position, x in enumerate(inputs)]
            if node.op_type.startswith("Reduce"):
                xs = [xs[0], *inputs[1:]]
            result = OPS[node.op_type](xs, attributes).numpy()
        assert result.shape == expected.shape
        if node.op_type != "Pow":
            assert result.dtype == expected.dtype
        np.testing.assert_allclose(result, expected, rtol=1e-3 if result.dtype == np.float16 else 2e-6, atol=1e-6)
