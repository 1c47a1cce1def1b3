"""Restoring: all or nothing, now or later, on the same backend or another."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import BackendError, CheckpointError, TraceError


class Model(pt.Trackable):
    """A layer with two variables."""

    def __init__(self, units: int = 2, dtype: str = "float32") -> None:
        self.w = pt.Variable(np.arange(units).astype(dtype), name="weight")
        self.b = pt.Variable(1.0, name="bias")


@pytest.fixture
def sim() -> Iterator[str]:
    """The device name of the sim backend, which is registered here if it is not installed."""
    try:
        pt.get_backend("sim")
        yield "sim"
    except BackendError:
        plugin = pytest.importorskip("polytape_sim.plugin", reason="polytape-sim is not on the path")
        with pt.register_backend(plugin.polytape_backend()):
            yield "sim"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A checkpoint of a model: w = [0, 1], b = 1."""
    return pt.Checkpoint(model=Model()).write(tmp_path / "model.safetensors")


def step(model: Model, optimizer: pt.optim.Optimizer) -> None:
    with pt.GradientTape() as tape:
        loss = pt.sum(pt.square(model.w * 2.0 + model.b))
    variables = [model.w, model.b]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


def test_values_are_restored_and_everything_is_consumed(path: str) -> None:
    model = Model()
    model.w.assign([7.0, 8.0])
    model.b.assign(9.0)
    status = pt.Checkpoint(model=model).restore(path)
    assert status.assert_consumed() is status
    assert (model.w.tolist(), float(model.b)) == ([0.0, 1.0], 1.0)
    assert status.matched == ("model/b", "model/w") and status.unmatched == () and status.path == path
    assert repr(status) == f"Status({path!r}, 2 matched, 0 unmatched)"


@pytest.mark.parametrize(
    ("model", "expected", "got"),
    [(Model(units=3), r"float32\[3\], like the variable 'weight'", r"float32\[2\] in the file"),
     (Model(dtype="float64"), r"float64\[2\], like the variable 'weight'", r"float32\[2\] in the file")],
)  # fmt: skip
def test_one_mismatch_leaves_every_variable_unchanged(path: str, model: Model, expected: str, got: str) -> None:
    model.b.assign(5.0)
    before = model.w.tolist()
    pattern = rf"model\.safetensors.*'model/w'[^\n]*\n  expected: {expected}\n  got: {got}\n  fix: .*nothing was"
    with pytest.raises(CheckpointError, match=pattern):
        pt.Checkpoint(model=model).restore(path)
    assert (model.w.tolist(), float(model.b)) == (before, 5.0)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing"])
def test_a_damaged_file_leaves_every_variable_unchanged(path: str, damage: str) -> None:
    raw = bytearray(Path(path).read_bytes())
    if damage == "truncated":
        del raw[-3:]
    raw[-1] ^= 1 if damage == "flipped" else 0
    Path(path).write_bytes(raw)
    if damage == "missing":
        Path(path).unlink()
    model = Model()
    model.w.assign([7.0, 8.0])
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        pt.Checkpoint(model=model).restore(path)
    assert model.w.tolist() == [7.0, 8.0]
    gc.collect()  # warns if a file was left open


def test_tensors_missing_from_the_file_and_from_the_objects_are_distinguished(path: str) -> None:
    more = Model()
    more.extra = pt.Variable(3.0)  # type: ignore[attr-defined]  # only in this test
    status = pt.Checkpoint(model=more).restore(path)
    with pytest.raises(CheckpointError, match="none for 'model/extra'"):
        status.assert_existing_objects_matched()
    less = pt.Trackable()
    less.b = pt.Variable(0.0)  # type: ignore[attr-defined]  # only in this test
    status = pt.Checkpoint(model=less).restore(path)
    assert status.assert_existing_objects_matched() is status
    with pytest.raises(CheckpointError, match="none for 'model/w'"):
        status.assert_consumed()


def test_none_restores_nothing_and_the_status_says_so() -> None:
    status = pt.Checkpoint(model=Model()).restore(None)
    assert status.path is None and status.matched == status.unmatched == ()
    with pytest.raises(CheckpointError, match=r"restore\(None\)"):
        status.assert_consumed()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "bfloat16", "float64", "complex64"])
@pytest.mark.parametrize(("source", "target"), [("numpy", "sim"), ("sim", "numpy"), ("sim:0", "sim:1")])
def test_a_checkpoint_of_one_backend_is_restored_bit_for_bit_on_another(
    dtype: str, source: str, target: str, tmp_path: Path, sim: str
) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    bits = np.random.default_rng(1).integers(0, 256, 64).astype("uint8")
    host_dtype = np.dtype(pt.asarray(0, dtype=dtype).dtype)
    host = (bits % 2).view(host_dtype) if dtype == "bool" else bits.view(host_dtype)
    path = pt.Checkpoint(x=pt.Variable(host, trainable=False, device=source)).save(tmp_path)
    x = pt.Variable(np.zeros(host.shape, host.dtype), trainable=False, device=target)
    pt.Checkpoint(x=x).restore(path).assert_consumed()
    assert x.device.backend == target.partition(":")[0]
    assert x.numpy().tobytes() == host.tobytes()


@pytest.mark.parametrize("when", ["before any step", "after a step", "before the variables"])
def test_training_resumes_as_if_it_had_not_stopped(when: str, tmp_path: Path) -> None:
    model, adam = Model(), pt.optim.Adam(0.1)
    for _ in range(3):
        step(model, adam)
    path = pt.Checkpoint(model=model, optimizer=adam).save(tmp_path)
    new_model, new_adam = Model(), pt.optim.Adam(0.1)
    checkpoint = (
        pt.Checkpoint(optimizer=new_adam)
        if when == "before the variables"
        else pt.Checkpoint(model=new_model, optimizer=new_adam)
    )
    if when == "after a step":
        step(new_model, new_adam)
    status = checkpoint.restore(path)
    if when == "before the variables":
        checkpoint.model = new_model
    for _ in range(2):
        step(model, adam)
        step(new_model, new_adam)
    status.assert_consumed()
    for old, new in zip((model.w, *adam.variables), (new_model.w, *new_adam.variables), strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


def test_slots_created_before_their_variable_was_attached_are_restored_with_it(tmp_path: Path) -> None:
    model, adam = Model(), pt.optim.Adam(0.1)
    step(model, adam)
    path = pt.Checkpoint(model=model, optimizer=adam).save(tmp_path)
    new_model, new_adam = Model(), pt.optim.Adam(0.5)
    checkpoint = pt.Checkpoint(optimizer=new_adam)
    status = checkpoint.restore(path)
    step(new_model, new_adam)
    checkpoint.model = new_model
    status.assert_consumed()
    slot, saved = new_adam.get_slot(new_model.w, "m"), adam.get_slot(model.w, "m")
    assert slot is not None and saved is not None
    np.testing.assert_array_equal(slot.numpy(), saved.numpy())


def test_values_read_before_a_restore_are_unchanged(path: str) -> None:
    model = Model()
    model.w.assign([7.0, 8.0])
    value = model.w.read_value()
    pt.Checkpoint(model=model).restore(path)
    assert value.tolist() == [7.0, 8.0]


def test_a_pending_restore_reads_the_file_it_opened(path: str, tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint()
    checkpoint.restore(path)
    replacement = Model()
    replacement.w.assign([5.0, 5.0])
    shutil.move(pt.Checkpoint(model=replacement).write(tmp_path / "new.safetensors"), path)
    model = Model()
    checkpoint.model = model
    assert model.w.tolist() == [0.0, 1.0]


def test_saving_and_restoring_inside_a_traced_function_are_rejected(path: str, tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(model=Model())
    for method, call in (
        ("save", lambda: checkpoint.save(tmp_path)), ("write", lambda: checkpoint.write(path)),
        ("restore", lambda: checkpoint.restore(path)),
    ):  # fmt: skip

        def body(x: pt.Tensor, call: object = call) -> pt.Tensor:
            assert callable(call)
            call()
            return x

        with pytest.raises(TraceError, match=rf"Checkpoint\.{method} cannot be called inside a traced function"):
            pt.function(body)(pt.asarray(1.0))


# --- several restores, copies, threads --------------------------------------------------------------------------------


def descriptors(path: str) -> int:
    return sum(os.path.realpath(f"/proc/self/fd/{name}") == path for name in os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_a_hundred_objects_that_wait_for_one_file_keep_one_descriptor(path: str) -> None:
    path = os.path.realpath(path)
    checkpoints = [pt.Checkpoint() for _ in range(100)]
    for checkpoint in checkpoints:
        checkpoint.restore(path)
    gc.collect()
    assert descriptors(path) == 1
    for checkpoint in checkpoints[1:]:
        checkpoint.model = model = Model()
        model.w.assign([9.0, 9.0])
    last = Model()
    last.w.assign([9.0, 9.0])
    checkpoints[0].model = last
    assert last.w.tolist() == [0.0, 1.0]
    del checkpoints, checkpoint
    gc.collect()
    assert descriptors(path) == 0


def test_a_file_that_replaced_the_one_still_open_is_read_anew(path: str) -> None:
    first, second = pt.Checkpoint(), pt.Checkpoint()
    first.restore(path)
    model = Model()
    model.w.assign([5.0, 6.0])
    pt.Checkpoint(model=model).write(path)
    second.restore(path)
    first.model, second.model = Model(), Model()
    assert first.model.w.tolist() == [0.0, 1.0]
    assert second.model.w.tolist() == [5.0, 6.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_a_copy_of_a_model_and_its_optimizer_is_saved_and_restored_like_the_original(
    copied: Callable[[Any], Any], tmp_path: Path
) -> None:
    model, adam = Model(), pt.optim.Adam(0.1)
    step(model, adam)
    pair = copied([model, adam])
    path = pt.Checkpoint(model=pair[0], optimizer=pair[1]).save(tmp_path)
    for _ in range(2):
        step(model, adam)
    pt.Checkpoint(model=model, optimizer=adam).restore(path).assert_consumed()
    step(model, adam)
    step(*pair)
    for one, other in zip((model.w, *adam.variables), (pair[0].w, *pair[1].variables), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_save_during_another_thread_s_steps_has_all_of_a_step_or_nothing_of_it(tmp_path: Path) -> None:
    variables = [pt.Variable(np.zeros(10, "float32")) for _ in range(200)]
    sgd = pt.optim.SGD(1.0)
    gradients = [pt.asarray(np.full(10, -1.0, "float32")) for _ in variables]
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            sgd.apply_gradients(zip(gradients, variables, strict=True))

    copies = [pt.Variable(np.zeros(10, "float32")) for _ in variables]
    thread = threading.Thread(target=train)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # s; the threads take turns within a save, too
    thread.start()
    try:
        for _ in range(15):
            path = pt.Checkpoint(variables=variables).write(tmp_path / "x.safetensors")
            pt.Checkpoint(variables=copies).restore(path).assert_consumed()
            assert len({value for x in copies for value in x.tolist()}) == 1
            pt.Checkpoint(variables=variables).restore(path).assert_consumed()
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert len({value for x in variables for value in x.tolist()}) == 1


def test_what_holds_no_variable_is_neither_missing_nor_left_over(path: str) -> None:
    model = Model()
    model.options, model.empty = {"a": 1, "b": [2]}, []  # type: ignore[attr-defined]  # a trackable takes any attribute
    pt.Checkpoint(model=model).restore(path).assert_consumed()


@pytest.mark.parametrize("name", ["a/b", "a~1b", "a", "", "..", "é", "0", "a b", "\\", "__metadata__", "/"])
def test_every_text_can_be_a_key(name: str, tmp_path: Path) -> None:
    w, other = pt.Variable(1.0), pt.Variable(2.0)
    checkpoint = pt.Checkpoint(table={name: w, "other": {name: other}})
    path = checkpoint.save(tmp_path)
    w.assign(0.0)
    other.assign(0.0)
    checkpoint.restore(path).assert_consumed()
    assert (float(w), float(other)) == (1.0, 2.0)


def test_what_was_added_to_a_list_is_restored_on_request_and_nothing_else(tmp_path: Path) -> None:
    path = pt.Checkpoint(layers=[pt.Variable(1.0), pt.Variable(2.0)]).save(tmp_path)
    layers = [pt.Variable(0.0)]
    status = pt.Checkpoint(layers=layers).restore(path)
    layers[0].assign(5.0)  # trained since
    layers.append(pt.Variable(0.0))
    assert status.unmatched == ("layers/1",)
    assert status.restore_new().expect_partial() is status.assert_consumed()
    assert [float(layer) for layer in layers] == [5.0, 2.0]
    nothing = pt.Checkpoint(layers=layers).restore(None)
    assert nothing.restore_new() is nothing


def test_damaged_bytes_are_not_noticed_without_verification(tmp_path: Path) -> None:
    x = pt.Variable(np.zeros(1000, "float32"))
    path = pt.Checkpoint(x=x).save(tmp_path)
    raw = bytearray(Path(path).read_bytes())
    raw[-1] ^= 0x40
    Path(path).write_bytes(raw)
    with pytest.raises(CheckpointError, match="damaged"):
        pt.Checkpoint(x=x).restore(path)
    pt.Checkpoint(x=x).restore(path, verify=False).assert_consumed()
    assert x.tolist()[-1] == 2.0


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int16"])
def test_bfloat16_is_restored_into_bfloat16_only(tmp_path: Path, dtype: str) -> None:
    pytest.importorskip("ml_dtypes")
    path = pt.Checkpoint(w=pt.Variable([1.5, 2.0], dtype="bfloat16")).write(tmp_path / "a.safetensors")
    w = pt.Variable([7.0, 7.0], dtype=dtype) if dtype != "int16" else pt.Variable(np.array([7, 7], dtype))
    with pytest.raises(CheckpointError, match=r"different shape or dtype(.|\n)*got: bfloat16\[2\]"):
        pt.Checkpoint(w=w).restore(path)
    assert w.tolist() == [7.0, 7.0]
    w = pt.Variable([0.0, 0.0], dtype="bfloat16")
    pt.Checkpoint(w=w).restore(path).assert_consumed()
    assert w.tolist() == [1.5, 2.0]
