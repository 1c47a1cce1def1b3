"""Converting and comparing checkpoints and files of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import polytape as pt
from polytape.checkpoint.exchange import convert, differences, read_contents
from polytape.checkpoint.torch_files import write_torch_file
from polytape.errors import CheckpointError, DTypeError


class Layer(pt.Trackable):
    def __init__(self, value: float) -> None:
        self.weight = pt.Variable(np.full((2, 3), value, "float32"))
        self.bias = pt.Variable(np.full(3, value, "float64"))


def test_a_checkpoint_goes_to_pytorch_and_back_into_the_model(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(model=[Layer(1.0), Layer(2.0)])
    path, torch, back = (str(tmp_path / name) for name in ("a.safetensors", "b.pt", "c.safetensors"))
    checkpoint.write(path)
    assert sorted(convert(path, torch).tensors) == [
        "model.0.bias", "model.0.weight", "model.1.bias", "model.1.weight",
    ]  # fmt: skip
    assert convert(torch, back).format == "polytape"
    other = [Layer(0.0), Layer(0.0)]
    pt.Checkpoint(model=other).restore(back).assert_consumed()
    assert other[1].weight.tolist() == [[2.0] * 3] * 2 and other[0].bias.tolist() == [1.0] * 3
    assert differences(read_contents(path).tensors, read_contents(back).tensors) == {}


def test_names_are_mapped_by_expressions_in_order(tmp_path: Path) -> None:
    source, target = str(tmp_path / "a.pt"), str(tmp_path / "b.safetensors")
    write_torch_file(source, {"net.0.weight": np.ones((2, 3), "f4"), "net.0.bias": np.ones(3)})
    convert(source, target, renames=[("^net/", "model/"), (r"/(\d)/", r"/layer\1/")])
    assert sorted(read_contents(target).tensors) == ["model/layer0/bias", "model/layer0/weight"]
    with pytest.raises(CheckpointError, match="two tensors would be named 'x'"):
        convert(source, target, renames=[(".*weight|.*bias", "x")])
    for bad in (("(", ""), ("net", r"\1")):
        with pytest.raises(CheckpointError, match="the rename"):
            convert(source, target, renames=[bad])
    assert sorted(read_contents(target).tensors) == ["model/layer0/bias", "model/layer0/weight"]


def test_a_plain_file_has_nothing_of_polytape_and_other_programs_read_it(tmp_path: Path) -> None:
    source, target = str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors")
    pt.Checkpoint(model=Layer(1.0)).write(source)
    assert convert(source, target, to="safetensors").metadata == {}
    assert b"polytape" not in Path(target).read_bytes()
    with safetensors.safe_open(target, "np") as file:
        assert file.metadata() is None
    assert safetensors.numpy.load_file(target)["model/bias"].tolist() == [1.0] * 3
    again = convert(target, source)
    assert again.format == "polytape" and read_contents(source).format == "polytape"


def test_a_checkpoint_with_the_same_names_keeps_its_object_graph(tmp_path: Path) -> None:
    layer, optimizer = Layer(1.0), pt.optim.Adam(0.1)
    optimizer.apply_gradients([(pt.ones((2, 3)), layer.weight)])
    path, copy = str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors")
    pt.Checkpoint(model=layer, optimizer=optimizer).write(path)
    convert(path, copy)
    assert Path(path).read_bytes() == Path(copy).read_bytes()


def test_complex128_has_no_plain_form(tmp_path: Path) -> None:
    path = str(tmp_path / "a.safetensors")
    pt.Checkpoint(x=pt.Variable(np.ones(2, "complex128"))).write(path)
    with pytest.raises(DTypeError, match="complex128"):
        convert(path, str(tmp_path / "b.safetensors"), to="safetensors")
    assert not (tmp_path / "b.safetensors").exists()


def test_differences_are_told_in_words() -> None:
    a = {
        "same": np.array([np.nan, 1.0]),
        "value": np.array([1.0, 2.0, np.nan]),
        "gone": np.ones(2),
        "b": np.ones((1, 2)),
    }
    b = {"same": np.array([np.nan, 1.0]), "value": np.array([1.0, 2.5, 0.0]), "new": np.ones(2, "f4"), "b": np.ones(2)}
    assert differences(a, b) == {
        "b": "float64[1,2] and float64[2]",
        "gone": "only in the first: float64[2]",
        "new": "only in the second: float32[2]",
        "value": "2 of 3 elements differ, by at most 0.5",
    }
    # Equal numbers with different bits.
    assert differences({"z": np.array([0.0])}, {"z": np.array([-0.0])}) == {"z": "1 of 1 elements differ"}
