"""Reading model files: versions of ops, models that polytape does not have the ops of, and damaged files."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.errors import CheckpointError, KernelError, PluginError, PolytapeError

onnx: Any = pytest.importorskip("onnx", reason="models are read with the package onnx")
parser: Any = importlib.import_module("onnx.parser")
interop: Any = importlib.import_module("polytape.interop.onnx")

X = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")


def model_of(body: str, opset: int, inputs: str = "float[2,3,4] x", outputs: str = "float y") -> Any:
    """A model from ONNX's text form."""
    return parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> g ({inputs}) => ({outputs}) {{ {body} }}')


def loaded(path: Path, model: Any, **how: Any) -> Any:
    path.write_bytes(model.SerializeToString())
    return interop.load(path, **how)


# --- versions ---------------------------------------------------------------------------------------------------------

AXES = "axes = Constant <value = int64[1] {1}> ()"
VERSIONS = [
    ("y = Softmax (x)", (13, 22)),
    ("y = Softmax <axis = 0> (x)", (13, 22)),
    ("y = LogSoftmax (x)", (13,)),
    ("y = Hardmax <axis = 1> (x)", (13,)),
    ("y = ReduceSum <axes = [1]> (x)", (11,)),
    (f"{AXES} y = ReduceSum (x, axes)", (13, 18, 22)),
    ("y = ReduceMean <axes = [1], keepdims = 0> (x)", (13, 17)),
    (f"{AXES} y = ReduceMean <keepdims = 0> (x, axes)", (18, 22)),
    ("y = ReduceMax <axes = [-1]> (x)", (13,)),
    (f"{AXES} y = Unsqueeze (x, axes)", (13, 21)),
    ("y = Unsqueeze <axes = [0, 3]> (x)", (11,)),
    ("y = Clip <min = 0.0, max = 0.5> (x)", (7, 10)),
    ("y = Pad <pads = [0, 1, 0, 0, 0, 2], value = 3.0> (x)", (7,)),
    ("pads = Constant <value = int64[6] {0, 1, 0, 0, 0, 2}> () y = Pad (x, pads)", (13, 18, 21)),
    ("y, z = Split <axis = 2, split = [1, 3]> (x)", (11,)),
    ("y, z = Split <axis = 2> (x)", (13,)),
    ("y, z = Split <axis = 2, num_outputs = 2> (x)", (18, 22)),
    ("y = Shape <start = 1> (x)", (15, 21)),
    ("r = Unsqueeze <axes = [3]> (x) y = Identity (r)", (11,)),
    ("y = Gelu (x)", (20, 22)),
    ("y = ThresholdedRelu <alpha = 0.25> (x)", (10, 22)),
]


@pytest.mark.parametrize(("body", "opset"), [(body, opset) for body, opsets in VERSIONS for opset in opsets])
def test_an_op_means_what_the_model_s_opset_says(path: Path, outputs: Any, body: str, opset: int) -> None:
    kind = "int64" if "Shape" in body else "float"
    model = loaded(path, model_of(body, opset, outputs=f"{kind} y"))
    (expected,) = outputs(path, [X])
    for call in (model, model.eager):
        np.testing.assert_allclose(call(X).numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("opset", [7, 11, 12])
def test_before_version_13_a_softmax_goes_along_all_axes_from_one_on(path: Path, opset: int) -> None:
    exp = np.exp(X.astype("float64"))
    for name, first in (("Softmax", 1), ("Softmax <axis = 0>", 0), ("Softmax <axis = -1>", 2)):
        axes = tuple(range(first, 3))
        model = loaded(path, model_of(f"y = {name} (x)", opset))
        np.testing.assert_allclose(model(X).numpy(), exp / exp.sum(axis=axes, keepdims=True), rtol=1e-6)
    logs = loaded(path, model_of("y = LogSoftmax (x)", opset))(X).numpy()
    np.testing.assert_allclose(np.exp(logs), exp / exp.sum(axis=(1, 2), keepdims=True), rtol=1e-5)
    hot = loaded(path, model_of("y = Hardmax (x)", opset))(X).numpy()
    np.testing.assert_array_equal(hot, X.max(axis=(1, 2), keepdims=True) == X)


def test_the_scales_of_upsample_were_an_attribute(path: Path) -> None:
    model = loaded(path, model_of('y = Upsample <scales = [1.0, 2.0, 1.5], mode = "nearest"> (x)', 7))
    np.testing.assert_array_equal(model(X).numpy(), X.repeat(2, axis=1)[:, :, [0, 0, 1, 2, 2, 3]])


def test_the_default_axis_of_a_transform_changed_with_version_20(path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((1, 4, 6, 1)).astype("float32")
    for opset, axis in ((17, 1), (20, 2)):
        model = loaded(path, model_of("y = DFT (x)", opset, "float[1,4,6,1] x"))
        expected = np.fft.fft(x[..., 0], axis=axis)
        got = model(x).numpy()
        np.testing.assert_allclose(got[..., 0] + 1j * got[..., 1], expected, atol=1e-5)


def test_regions_of_interest_are_shifted_by_half_an_element_since_version_16(path: Path) -> None:
    x = np.arange(64, dtype="float32").reshape(1, 1, 8, 8)
    rois, batch = np.asarray([[1.0, 1.0, 5.0, 5.0]], "float32"), np.asarray([0])
    text = "y = RoiAlign <output_height = 2, output_width = 2, sampling_ratio = 2> (x, rois, batch)"
    inputs = "float[1,1,8,8] x, float[1,4] rois, int64[1] batch"
    old, new = (loaded(path, model_of(text, opset, inputs))(x, rois, batch).numpy() for opset in (10, 16))
    np.testing.assert_allclose(old - new, 4.5)  # half a row of 8 and half a column


# --- what cannot be loaded --------------------------------------------------------------------------------------------


def test_an_unknown_op_is_named_with_its_node_domain_and_opset(path: Path) -> None:
    with pytest.raises(KernelError, match=r"StringNormalizer 'normal', opset 13") as caught:
        loaded(path, onnx.helper.make_model(
            onnx.helper.make_graph(
                [onnx.helper.make_node("StringNormalizer", ["x"], ["y"], name="normal")], "g",
                [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.STRING, [1])],
                [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.STRING, [1])],
            ),
            opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8,
        ))  # fmt: skip
    assert "fix: export the model" in str(caught.value)
    text = '<ir_version: 8, opset_import: ["" : 17, "other" : 1]> g (float[2] x) => (float[2] y) { y = other.Tanh (x) }'
    with pytest.raises(KernelError, match="Tanh of the domain 'other'"):
        loaded(path, parser.parse_model(text))


def test_an_old_version_whose_meaning_differs_names_the_converter(path: Path) -> None:
    with pytest.raises(KernelError, match=r"Resize 'y' as opset 10[\s\S]*onnx\.version_converter"):
        loaded(path, model_of("y = Resize (x, s)", 10, "float[2,3,4] x, float[3] s"))
    with pytest.raises(KernelError, match="BatchNormalization 'y' as opset 7"):
        loaded(path, model_of("y = BatchNormalization (x, s, s, s, s)", 7, "float[2,3,4] x, float[3] s"))


def test_functions_of_the_model_itself_are_inlined(path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
    g (float[2,3,4] x) => (float[2,3,4] y) { y = own.twice (x) }
    <opset_import: ["" : 17], domain: "own"> twice (a) => (b) { c = Tanh (a) b = Add (c, c) }"""
    np.testing.assert_allclose(loaded(path, parser.parse_model(text))(X).numpy(), 2 * np.tanh(X), rtol=1e-6)


def test_a_file_outside_the_model_s_folder_is_not_read(path: Path) -> None:
    model = model_of("y = Add (x, w)", 17, "float[2,3,4] x", "float[2,3,4] y")
    (path.parent / "weights").write_bytes(np.ones((2, 3, 4), "float32").tobytes())
    tensor = model.graph.initializer.add(name="w", data_type=1, dims=[2, 3, 4], data_location=1)
    entry = tensor.external_data.add(key="location", value="weights")
    assert loaded(path, model)(X).numpy() == pytest.approx(X + 1.0)
    folder = path.parent / "inner"
    folder.mkdir()
    for place in ("../weights", str(path.parent / "weights")):
        entry.value = place
        with pytest.raises(CheckpointError, match="cannot be read"):
            loaded(folder / "model.onnx", model)


def test_what_is_no_model_is_an_error_with_the_path(path: Path) -> None:
    for data in (b"", b"not a model", b"\x08\x08"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"model\.onnx' cannot be read: it is not a valid model of ONNX"):
            interop.load(path)
    with pytest.raises(CheckpointError, match="check the path"):
        interop.load(path.parent / "missing.onnx")
    model = model_of("y = Add (x, missing)", 17)
    with pytest.raises(CheckpointError, match="missing"):
        loaded(path, model)


def test_without_onnx_the_error_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "onnx", None)
    with pytest.raises(PluginError, match=r"pip install 'polytape\[onnx\]'"):
        interop.load(path)


# --- damage -----------------------------------------------------------------------------------------------------------


def sound() -> bytes:
    """A small network."""
    rng = np.random.default_rng(1)
    model = model_of(
        "c = Conv <pads = [1, 1, 1, 1]> (x, w) r = Relu (c) p = MaxPool <kernel_shape = [2, 2]> (r) "
        "f = Flatten (p) t = Transpose <perm = [1, 0]> (v) d = Gemm (f, t, b) y = Softmax (d)",
        17, "float[2,3,4,4] x", "float[2,3] y",
    )  # fmt: skip
    for name, shape in (("w", (2, 3, 3, 3)), ("v", (3, 8)), ("b", (3,))):
        array = rng.standard_normal(shape).astype("float32")
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    data: bytes = model.SerializeToString()
    return data


SOUND = sound()
IMAGES = np.random.default_rng(2).standard_normal((2, 3, 4, 4)).astype("float32")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.one_of(st.none(), st.integers(0, len(SOUND) - 1)),
    flips=st.lists(st.integers(0, 8 * len(SOUND) - 1), max_size=3),
)
def test_a_damaged_file_is_a_clear_error_or_another_model(path: Path, cut: int | None, flips: list[int]) -> None:
    data = bytearray(SOUND)
    for bit in flips:
        data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data[:cut]))
    try:
        model = interop.load(path)
        with np.errstate(all="ignore"):
            result = model.eager(IMAGES)
    except PolytapeError as error:
        assert str(path) in str(error) or getattr(error, "__notes__", None) or "model.onnx" in str(error)
        assert error.got and error.fix
    else:
        assert isinstance(result, (pt.Tensor, tuple))
