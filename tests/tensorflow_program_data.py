"""What run_tensorflow_programs.py gives to programs in the place of data and packages that they would download."""

from __future__ import annotations

import functools
import importlib
import struct
import sys
import types
import unittest.mock
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np


def digits(folder: str, one_hot: bool = False, count: int = 64) -> Any:
    """What TensorFlow's reader of MNIST returns: here, images of a bright bar whose place is the class."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % 10
    images = random.uniform(0.0, 0.2, (count, 28, 28)).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 7] += 0.8
    found = types.SimpleNamespace(
        images=images.reshape(count, 784), labels=np.eye(10)[labels] if one_hot else labels.astype(np.uint8),
        num_examples=count,
    )  # fmt: skip
    found.next_batch = lambda size: (found.images[:size], found.labels[:size])
    return types.SimpleNamespace(train=found, test=found)


def tutorial_modules(count: int) -> dict[str, types.ModuleType]:
    """`tensorflow.examples.tutorials.mnist.input_data`, with `count` images."""
    names = ["examples", "examples.tutorials", "examples.tutorials.mnist", "examples.tutorials.mnist.input_data"]
    found = {f"tensorflow.{name}": types.ModuleType(f"tensorflow.{name}") for name in names}
    reader = found[f"tensorflow.{names[-1]}"]
    reader.__dict__["read_data_sets"] = functools.partial(digits, count=count)
    found[f"tensorflow.{names[-2]}"].__dict__["input_data"] = reader
    return found


def projector() -> dict[str, types.ModuleType]:
    """A stand-in for TensorBoard's projector, which a program of the lecture imports and does not use."""
    name = "tensorflow.contrib.tensorboard.plugins"
    found = types.ModuleType(name)
    found.__dict__.update(projector=types.ModuleType(f"{name}.projector"), __path__=[])
    return {name: found}


def digit_files(count: int) -> None:
    """Synthetic images in files with the names and the format of MNIST, where the lecture's programs look for them."""
    Path("data/mnist").mkdir(parents=True)
    found = digits("", count=count).train
    for name in ("train", "t10k"):
        images = (found.images.reshape(count, 28, 28).clip(0, 1) * 255).astype(np.uint8)
        for kind, code, array in (("images-idx3", 2051, images), ("labels-idx1", 2049, found.labels)):
            header = struct.pack(f">{array.ndim + 1}I", code, *array.shape)
            Path(f"data/mnist/{name}-{kind}-ubyte").write_bytes(header + array.tobytes())


def stand_ins() -> None:
    """What the programs import beside TensorFlow, where it is not installed: `six`, and a `matplotlib` that draws
    nothing; and a function that NumPy had."""
    moves = types.ModuleType("six.moves")
    moves.__dict__.update(xrange=range, range=range, zip=zip, input=input, urllib=urllib)
    six = types.ModuleType("six")
    six.__dict__.update(moves=moves)
    plots = unittest.mock.MagicMock()
    for name, module in {
        "six": six,
        "six.moves": moves,
        "matplotlib": plots,
        "matplotlib.pyplot": plots.pyplot,
    }.items():
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = module
    np.__dict__.setdefault("asscalar", lambda array: array.item())
