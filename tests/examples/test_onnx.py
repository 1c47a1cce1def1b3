"""Each model of an example is exported to ONNX, agrees there, and gives the same when it is loaded again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import polytape as pt

pytest.importorskip("onnx", reason="exports need the package onnx")

Load = Callable[[str], ModuleType]
sys.path.append(str(Path(__file__).parents[1] / "fixtures"))
run_elsewhere: Any = importlib.import_module("onnx_elsewhere").run_elsewhere


def images(count: int = 4) -> Any:
    return np.random.default_rng(0).random((count, 8, 8, 1)).astype("float32")


def digits(load: Load, kind: str) -> tuple[Any, tuple[Any, ...]]:
    model = load("digits").network(kind)
    model.build((None, 8, 8, 1))
    return model, (images(),)


def char_lstm(load: Load) -> tuple[Any, tuple[Any, ...]]:
    model = load("char_lstm").CharModel(20, 24)
    codes = np.random.default_rng(0).integers(0, 20, (3, 12)).astype("int32")
    _, state = model(codes[:, :2])
    return model, (codes, state)


def gan(load: Load, part: str) -> tuple[Any, tuple[Any, ...]]:
    module = load("gan")
    model = module.Gan(0.001)
    model.step(images(8))  # so that the averages of the batch norms are not those that they start with
    noise = np.random.default_rng(0).standard_normal((4, module.NOISE)).astype("float32")
    return getattr(model, part), (noise if part == "generator" else images(),)


def linear_regression(load: Load) -> tuple[Any, tuple[Any, ...]]:
    fit = load("linear_regression").new_fits(0.1)["Huber"]
    x, y = (np.random.default_rng(k).standard_normal(50).astype("float32") for k in range(2))
    fit.train_step(x, y)
    return fit.loss_of, (x, y)


MODELS: dict[str, Callable[[Load], tuple[Any, tuple[Any, ...]]]] = {
    "mlp": lambda load: digits(load, "mlp"),
    "cnn": lambda load: digits(load, "cnn"),
    "char_lstm": char_lstm,
    "generator": lambda load: gan(load, "generator"),
    "discriminator": lambda load: gan(load, "discriminator"),
    "linear_regression": linear_regression,
}


def flat(values: Any) -> list[Any]:
    if isinstance(values, (tuple, list)):
        return [x for value in values for x in flat(value)]
    return [np.asarray(values)]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_agrees_in_another_program_and_when_it_is_loaded(name: str, module: Load, tmp_path: Path) -> None:
    onnx: Any = importlib.import_module("polytape.interop.onnx")
    pt.random.seed(0)
    model, inputs = MODELS[name](module)
    traced = pt.function(lambda *xs: model(*xs))
    path = tmp_path / "model.onnx"
    onnx.export(traced, path, *inputs)
    expected, arrays = flat(traced(*inputs)), flat(inputs)
    for result, wanted in zip(run_elsewhere(path, arrays), expected, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)
    loaded = onnx.load(path)
    for call in (loaded, loaded.eager):
        for result, wanted in zip(flat(call(*arrays)), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)
    assert not loaded.static
    again = tmp_path / "again.onnx"
    onnx.export(loaded, again, *arrays)
    for result, wanted in zip(flat(onnx.load(again)(*arrays)), flat(loaded(*arrays)), strict=True):
        np.testing.assert_array_equal(result, wanted)
