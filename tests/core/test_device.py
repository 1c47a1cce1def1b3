"""Device names: valid and invalid ones."""

from __future__ import annotations

import pickle

import pytest

import polytape as pt
from polytape.device import Device, get_device, parse_device
from polytape.errors import DeviceError


@pytest.mark.parametrize(
    ("text", "word", "backend", "kind", "index"),
    [
        ("cpu", "cpu", "", "", -1),
        ("GPU:0", "gpu", "", "", 0),
        ("numpy", "numpy", "", "", -1),
        ("numpy:1", "numpy", "", "", 1),
        ("cupy:gpu:1", "", "cupy", "gpu", 1),
        ("numpy:cpu", "", "numpy", "cpu", -1),
        (" Numpy:CPU:0 ", "", "numpy", "cpu", 0),
        ("/cpu:0", "cpu", "", "", 0),
        ("/device:GPU:1", "gpu", "", "", 1),
        ("/job:localhost/replica:0/task:0/device:CPU:0", "cpu", "", "", 0),
        ("my-backend:x_1", "", "my-backend", "x_1", -1),
    ],
)
def test_device_names_are_parsed_in_every_spelling(text: str, word: str, backend: str, kind: str, index: int) -> None:
    spec = parse_device(text)
    assert (spec.word, spec.backend, spec.kind, spec.index) == (word, backend, kind, index)


@pytest.mark.parametrize("text", ["", ":", "cpu:", "cpu:-1", "a:b:c", "a:b:0:1", "0", "cpu 0", "cpu:0:0", None, 3, "/"])
def test_the_error_for_an_invalid_device_name_shows_the_grammar(text: object) -> None:
    with pytest.raises(DeviceError, match=r"is not a valid device name(.|\n)*\[backend:\]kind\[:index\]"):
        parse_device(text)


def test_devices_are_interned_and_equal_to_their_names() -> None:
    device = get_device("numpy", "cpu", 0)
    assert device is get_device("numpy", "cpu", 0) is pt.ones(1, device="numpy").device
    assert device == "numpy:cpu:0"
    assert device == "NumPy:CPU:0"
    assert device != "numpy:cpu:1"
    assert device == Device("numpy", "cpu", 0)
    assert device != 0
    assert hash(device) == hash(Device("numpy", "cpu", 0))
    assert str(device) == repr(device) == "numpy:cpu:0"


def test_parsing_a_device_gives_its_parts() -> None:
    spec = parse_device(get_device("numpy", "cpu", 0))
    assert (spec.backend, spec.kind, spec.index) == ("numpy", "cpu", 0)


def test_an_unpickled_tensor_is_on_the_same_device() -> None:
    x = pickle.loads(pickle.dumps(pt.ones(2, device="numpy")))
    assert x.device is get_device("numpy", "cpu", 0)
    assert x.tolist() == [1.0, 1.0]
