"""Exports to ONNX give polytape's results, under onnxruntime if it is installed, else under ONNX's own evaluator."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import CheckpointError, PluginError, TraceError
from polytape.testing.calls import attributes_on, calls, device_of
from polytape.testing.case import call, tensors
from polytape.testing.cases import CASES

onnx: Any = pytest.importorskip("onnx", reason="exports need the package onnx")
interop: Any = importlib.import_module("polytape.interop.onnx")

X = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_convolutional_network(path: Path, agree: Any, data_format: str) -> None:
    generator = np.random.default_rng(1)
    w = pt.Variable(generator.standard_normal((3, 3, 3, 4)).astype("float32"), name="w")
    dense = pt.Variable(generator.standard_normal((64, 5)).astype("float32"), name="dense")

    def body(x: Any) -> Any:
        y = pt.nn.relu(pt.nn.conv(x, w, padding="same", data_format=data_format))
        y = pt.nn.max_pool(y, 2, data_format=data_format)
        first = pt.nn.avg_pool(y, 2, stride=1, padding=((1, 0), (0, 1)), data_format=data_format)
        return pt.nn.softmax(pt.reshape(y, (2, -1)) @ dense), first

    x = X if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(X, 3, 1))
    agree(body, x)
    ops = {node.op_type for node in onnx.load(str(path)).graph.node}
    assert {"Conv", "MaxPool", "AveragePool", "Softmax", "MatMul"} <= ops


def test_attention_layer_norm_and_gelu(agree: Any) -> None:
    x = X[0, :, :, 0]

    def body(x: Any) -> Any:
        y = pt.nn.layer_norm(x, axis=-1)
        y = pt.nn.scaled_dot_product_attention(y[None, None], y[None, None], y[None, None])[0, 0]
        return pt.nn.gelu(y) + pt.linalg.vector_norm(x, axis=1, keepdims=True)

    agree(body, x)


def test_indexing_assignment_sorting_and_integers(agree: Any) -> None:
    def body(x: Any, k: Any) -> Any:
        y = x * 1.0
        y[1:5:2, ::-1] = x[0]
        order = pt.argsort(y, axis=1, descending=True)
        return y[k, ..., None], order, pt.take(x, k, axis=1), k // -3, k % -3, pt.cumulative_sum(x, axis=0)

    agree(body, X[0, :, :, 0], np.asarray([0, -1, 5]))


def test_functions_that_onnx_lacks_are_accurate_near_zero(path: Path, outputs: Any) -> None:
    x = np.asarray([-1e-7, 3e-4, -0.4, 0.0, 0.7, 20.0, -0.9], "float32")
    interop.export(pt.function(lambda x: (pt.expm1(x), pt.log1p(x))), path, x)
    for y, z in zip(outputs(path, [x]), (np.expm1(x.astype("float64")), np.log1p(x.astype("float64"))), strict=True):
        np.testing.assert_allclose(y, z, rtol=5e-6)


# Elements on which ONNX's operators are not those of the standard, and dtypes that its operators do not take.
ELSEWHERE = {
    "max": "NaN", "min": "NaN", "argmax": "NaN", "argmin": "NaN", "gcd": "division of integers by 0",
    "lcm": "division of integers by 0", "one_hot": "onnxruntime has no Where of int8", "sum": "small integers",
    "prod": "small integers", "cumulative_sum": "small integers", "astype": "bfloat16",
}  # fmt: skip


@pytest.mark.slow
def test_each_op_of_the_kit_that_onnx_can_express(path: Path, runtime: bool, outputs: Any) -> None:
    if not runtime:
        pytest.skip("onnxruntime is not installed; ONNX's evaluator is too slow")
    device = device_of("numpy")
    equal, rejected = set(), set()
    for case in CASES:
        seen = set()
        for sample, dtype, hosts, what in calls(case, "numpy"):
            attributes = attributes_on(case, sample, device)
            key = (repr(attributes), dtype)
            if case.op.name in ELSEWHERE or not hosts or sample.layout or key in seen:
                continue
            if dtype not in ("", "float32", "int64", "bool"):
                continue
            seen.add(key)
            operands = tensors(case.op, hosts, device)
            traced = pt.function(lambda *xs, case=case, attributes=attributes: list(call(case.op, xs, attributes)))
            try:
                interop.export(traced, path, *operands)
            except TraceError:
                rejected.add(case.op.name)
                continue
            with np.errstate(all="ignore"):
                expected = [y.numpy() for y in traced(*operands)]
            got = outputs(path, [x.numpy() for x in operands])
            assert [(y.dtype, y.shape) for y in got] == [(y.dtype, y.shape) for y in expected], what
            for y, z in zip(got, expected, strict=True):
                np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5, err_msg=what)
            equal.add(case.op.name)
    assert len(equal) > 200 and len(rejected) < 60


# --- what cannot be exported ------------------------------------------------------------------------------------------


def test_state_random_numbers_and_missing_ops_are_errors(path: Path) -> None:
    v = pt.Variable(0.0, name="v")

    def assigns(x: Any) -> Any:
        v.assign_add(1.0)
        return x

    x = pt.ones((2, 2))
    for body, text in (
        (assigns, "because it assigns variables"),
        (lambda x: x + pt.random.normal((2, 2)), "because it reads values before each run, such as random numbers"),
        (lambda x: pt.linalg.svd(x)[1], r"because of svd \(test_writing\.py:\d+\)"),
        (lambda x: pt.linalg.inv(x), r"because of lu_factor \(test_writing\.py:\d+\)"),
        (lambda x: pt.abs(x * 1j), "because of the dtype complex64"),
    ):
        with pytest.raises(TraceError, match=f"cannot be a model of ONNX, {text}|cannot be a model of ONNX {text}"):
            interop.export(pt.function(body), path, x)
    assert not path.exists()
    with pytest.raises(CheckpointError, match="cannot be written"):
        interop.export(pt.function(lambda x: x), path / "missing", x)


def test_without_onnx_the_error_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "onnx", None)
    with pytest.raises(PluginError, match=r"pip install 'polytape\[onnx\]'"):
        interop.export(pt.function(lambda x: x), path, pt.ones((2,)))


READS = """
import sys
import numpy as np
from polytape.interop import onnx

data = np.load({data!r})
for device in ("numpy", "sim"):
    import polytape as pt
    with pt.device(device):
        model = onnx.load({path!r})
        results = model(pt.asarray(data["x"]))
        for k, result in enumerate(results):
            assert result.device.backend == device
            assert result.numpy().tobytes() == data[f"r{{k}}"].tobytes(), (device, k)
        print(len(results))
"""


def test_a_tensor_that_a_function_moves_is_the_tensor_itself(path: Path, agree: Any, child: Any) -> None:
    pytest.importorskip("polytape_sim")
    w = pt.Variable(pt.asarray([2.0, 3.0, 4.0], device="sim"), name="w")

    def body(x: Any) -> Any:
        y = x.to_device("sim") * w
        z = pt.cond(pt.sum(x) > 0, lambda: y.to_device("numpy"), lambda: x.to_device("sim").to_device("numpy") - 1.0)
        return y, z, w.to_device("numpy"), x.to_device("sim")

    x = np.asarray([1.0, -2.5, 3.0], "float32")
    with pt.device("numpy"):
        agree(body, x)
        assert "to_device" not in {node.op_type for node in onnx.load(str(path)).graph.node}
        expected = {f"r{k}": y.numpy() for k, y in enumerate(pt.function(body)(pt.asarray(x)))}
    np.savez(path.with_suffix(".npz"), x=x, **expected)
    assert child(READS.format(data=str(path.with_suffix(".npz")), path=str(path))).stdout.split() == ["4", "4"]
