"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, PluginError, SettingError, ShapeError, TraceError

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
summary = pt.summary


def read(folder: Path) -> Any:
    everything = dict.fromkeys(("scalars", "histograms", "images", "tensors"), 0)
    events = accumulator.EventAccumulator(str(folder), size_guidance=everything)
    events.Reload()
    return events


def test_scalars_come_back_with_their_steps(tmp_path: Path) -> None:
    with summary.FileWriter(tmp_path):
        assert summary.scalar("train/loss", pt.asarray(0.5), step=3)
        assert summary.scalar("train/loss", np.float64(0.25), step=pt.Variable(4, dtype="int64"))
        assert summary.scalar("count", 7, step=np.int32(4))
        assert summary.scalar("ratio", pt.ones((1, 1)), step=0)
    events = read(tmp_path)
    assert [(each.step, each.value) for each in events.Scalars("train/loss")] == [(3, 0.5), (4, 0.25)]
    assert [(each.step, each.value) for each in events.Scalars("count")] == [(4, 7.0)]


def test_nan_and_infinity_are_numbers(tmp_path: Path) -> None:
    with summary.FileWriter(tmp_path):
        for step, value in enumerate((float("nan"), float("inf"))):
            summary.scalar("loss", value, step=step)
    nan, inf = (each.value for each in read(tmp_path).Scalars("loss"))
    assert np.isnan(nan) and np.isinf(inf)


def test_a_histogram_counts_every_value(tmp_path: Path) -> None:
    values = pt.asarray(np.random.default_rng(0).standard_normal((10, 100)), dtype="float16")
    with summary.FileWriter(tmp_path):
        summary.histogram("weights", values, step=1)
        summary.histogram("one", [2.0], step=1, bins=[0.0, 1.0, 3.0])
    events = read(tmp_path)
    found = events.Histograms("weights")[0].histogram_value
    assert found.num == 1000 and sum(found.bucket) == 1000
    assert found.min == float(pt.min(values)) and found.max == float(pt.max(values))
    assert events.Histograms("one")[0].histogram_value.num == 1


def test_images_are_png_files_of_their_pixels(tmp_path: Path) -> None:
    import io

    from PIL import Image

    grey = pt.asarray(np.linspace(-0.5, 1.5, 12, dtype="float32").reshape(3, 4, 1))
    colours = pt.asarray(np.arange(5 * 2 * 3 * 3, dtype="uint8").reshape(5, 2, 3, 3))
    with summary.FileWriter(tmp_path):
        summary.image("grey", grey, step=0)
        summary.image("many", colours, step=0, max_images=2)
    events = read(tmp_path)
    assert sorted(events.Tags()["images"]) == ["grey", "many/0", "many/1"]
    for tag, expected in (("grey", np.clip(grey.numpy()[..., 0], 0, 1) * 255), ("many/1", colours.numpy()[1])):
        encoded = events.Images(tag)[0].encoded_image_string
        pixels = np.asarray(Image.open(io.BytesIO(encoded)))
        np.testing.assert_allclose(pixels if expected.ndim == 3 else pixels[..., 0], expected, atol=0.51)


def test_a_text_and_a_graph(tmp_path: Path) -> None:
    w = pt.Variable([[1.0], [2.0]], name="w")

    @pt.function
    def step(x: Any) -> Any:
        y = pt.nn.relu(x @ w) * 2.0
        w.assign_add(x[:, :1])
        return y

    with summary.FileWriter(tmp_path):
        summary.text("note", "**bold**", step=0)
        summary.graph(step.graph(pt.ones((2, 2))))
    events = read(tmp_path)
    assert events.Tensors("note/text_summary")[0].tensor_proto.string_val == [b"**bold**"]
    nodes = {node.name: node for node in events.Graph().node}
    ops = {node.op for node in nodes.values()}
    assert {"Placeholder", "Variable", "matmul", "relu", "multiply", "Assign"} <= ops
    starts = {name.split(":")[0] for node in nodes.values() for name in node.input}
    assert starts <= set(nodes)
    assert b"test_summary.py" in next(node for node in nodes.values() if node.op == "relu").attr["source"].s


def test_regions_are_inside_the_node_of_their_equation(tmp_path: Path) -> None:
    f = pt.function(lambda x: pt.scan(lambda total, row: (total + row * 0.5, total), 0.0, x)[1])
    with summary.FileWriter(tmp_path):
        summary.graph(f.graph(pt.ones(3)))
    nodes = {node.name: node for node in read(tmp_path).Graph().node}
    assert nodes["scan_a"].attr["settings"].s == b"carries=1, rows=1, length=3"
    inside = [name for name in nodes if name.startswith("scan_a/0_step/")]
    assert {name.rpartition("/")[2] for name in inside} == {
        "carry",
        "xs",
        "multiply_a",
        "add_b",
        "result_0",
        "result_1",
    }
    assert nodes["scan_a/0_step/multiply_a"].attr["operand_1"].s == b"0.5"
    assert {name.split(":")[0] for node in nodes.values() for name in node.input} <= set(nodes)


def test_without_a_writer_nothing_is_written() -> None:
    assert not summary.scalar("loss", 1.0, step=0)
    assert not summary.graph(None)


def test_every_writes_multiples_only_and_reads_no_other_value(tmp_path: Path) -> None:
    class Unreadable:
        def __array__(self, *arguments: Any, **keywords: Any) -> Any:
            raise AssertionError("it was read")

    with summary.FileWriter(tmp_path), summary.every(10):
        written = [summary.scalar("loss", 1.0 if step % 10 == 0 else Unreadable(), step=step) for step in range(25)]
        with summary.every(0):
            assert not summary.scalar("loss", Unreadable(), step=30)
    assert [step for step, done in enumerate(written) if done] == [0, 10, 20]
    assert [each.step for each in read(tmp_path).Scalars("loss")] == [0, 10, 20]


def test_the_writers_own_step(tmp_path: Path) -> None:
    optimizer, w = pt.optim.SGD(0.1), pt.Variable(1.0)
    with summary.FileWriter(tmp_path, step=optimizer.step):
        for _ in range(3):
            optimizer.apply_gradients([(pt.asarray(1.0), w)])
            summary.scalar("w", w)
    assert [each.step for each in read(tmp_path).Scalars("w")] == [1, 2, 3]
    counter = iter(range(5, 7))
    with summary.FileWriter(tmp_path / "function", step=lambda: next(counter)):
        summary.scalar("x", 1.0)
        summary.scalar("x", 1.0)
    assert [each.step for each in read(tmp_path / "function").Scalars("x")] == [5, 6]


def test_default_writers_are_nested(tmp_path: Path) -> None:
    outer, inner = summary.FileWriter(tmp_path / "outer"), summary.FileWriter(tmp_path / "inner")
    outer.set_as_default()
    try:
        with inner.as_default():
            summary.scalar("x", 1.0, step=0)
            summary.scalar("y", 1.0, step=0, writer=outer)
        summary.scalar("x", 2.0, step=0)
    finally:
        summary.writer._Process.writer = None
    outer.close()
    inner.close()
    assert [each.value for each in read(tmp_path / "inner").Scalars("x")] == [1.0]
    assert [each.value for each in read(tmp_path / "outer").Scalars("x")] == [2.0]
    assert "closed" in repr(outer)


def test_several_writers_of_one_second_have_files_of_their_own(tmp_path: Path) -> None:
    writers = [summary.FileWriter(tmp_path) for _ in range(3)]
    for k, writer in enumerate(writers):
        summary.scalar(f"x{k}", k, step=0, writer=writer)
        writer.close()
    assert len(list(tmp_path.iterdir())) == 3
    tags = set()
    for path in tmp_path.iterdir():
        tags |= set(read(path).Tags()["scalars"])
    assert tags == {"x0", "x1", "x2"}


def test_threads_share_a_writer(tmp_path: Path) -> None:
    with summary.FileWriter(tmp_path) as writer:
        threads = [
            threading.Thread(target=lambda k=k: [summary.scalar(f"x{k}", n, step=n, writer=writer) for n in range(200)])
            for k in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = read(tmp_path)
    for k in range(4):
        assert [each.value for each in events.Scalars(f"x{k}")] == list(range(200))


PROGRAM = """
import os, sys, signal
import polytape as pt
writer = pt.summary.FileWriter(sys.argv[1])
writer.set_as_default()
pt.summary.scalar("kept", 1.0, step=0)
if sys.argv[2] == "killed":
    writer.flush()
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "forked" and os.fork() == 0:
    try:
        pt.summary.scalar("child", 1.0, step=0)
    except pt.PolytapeError as error:
        print(error.got)
    sys.exit()
"""


@pytest.mark.parametrize("way", ["ended", "killed", "forked"])
def test_what_was_written_outlives_the_process(tmp_path: Path, way: str) -> None:
    if way != "ended" and not hasattr(os, "fork"):
        pytest.skip("needs a POSIX system")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), way], capture_output=True, text=True, check=False
    )
    assert done.returncode == (-signal.SIGKILL if way == "killed" else 0), done.stderr
    assert read(tmp_path).Scalars("kept")[0].value == 1.0
    assert ("it belongs to process" in done.stdout) == (way == "forked")


@pytest.mark.parametrize(
    ("call", "error", "part"),
    [
        (lambda: summary.scalar("x", pt.ones(3), step=0), ShapeError, "not a number"),
        (lambda: summary.scalar("x", 1j, step=0), DTypeError, "not a number"),
        (lambda: summary.scalar("", 1.0, step=0), SettingError, "needs a name"),
        (lambda: summary.scalar(1.0, "x", step=0), SettingError, "needs a name"),  # type: ignore[arg-type]
        (lambda: summary.scalar("x", 1.0), SettingError, "needs a step"),
        (lambda: summary.scalar("x", 1.0, step=0.5), SettingError, "needs a step"),
        (lambda: summary.histogram("x", [], step=0), ShapeError, "nothing to count"),
        (lambda: summary.histogram("x", [1.0, float("nan")], step=0), SettingError, "1 of 2 values"),
        (lambda: summary.image("x", pt.ones((4, 4)), step=0), ShapeError, "not an image"),
        (lambda: summary.image("x", pt.ones((1, 3, 8, 8)), step=0), ShapeError, "move it to the end"),
        (lambda: summary.image("x", pt.ones((4, 4, 1), dtype="int32"), step=0), DTypeError, "no scale"),
        (lambda: summary.text("x", 3, step=0), DTypeError, "not a text"),  # type: ignore[arg-type]
        (lambda: summary.graph(len), DTypeError, "needs a graph"),
        (lambda: summary.every(-1).__enter__(), SettingError, "not a number of steps"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, call: Any, error: Any, part: str) -> None:
    with summary.FileWriter(tmp_path), pytest.raises(error) as raised:
        call()
    assert part in str(raised.value) and "fix:" in str(raised.value)
    assert not read(tmp_path).Tags()["scalars"]


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    writer = summary.FileWriter(tmp_path)
    writer.close()
    writer.close()
    writer.flush()
    with pytest.raises(SettingError, match="it is closed"):
        summary.scalar("x", 1.0, step=0, writer=writer)


def test_a_trace_refuses_to_read_a_value(tmp_path: Path) -> None:
    @pt.function
    def step(x: Any) -> Any:
        summary.scalar("x", pt.sum(x), step=0)
        return x

    with summary.FileWriter(tmp_path), pytest.raises(TraceError):
        step(pt.ones(2))


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    with pytest.raises(PluginError, match=r"polytape\[tensorboard\]"):
        summary.FileWriter(tmp_path)
