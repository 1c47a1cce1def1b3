"""`Function.export`: every op of the kit, random programs in another process, and what has no form in a file."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.checkpoint.format import open_tensors
from polytape.errors import TraceError
from polytape.graph import function, optimise
from polytape.testing.calls import attributes_on, calls, device_of
from polytape.testing.case import Case, call, tensors
from polytape.testing.cases import CASES

Child = Callable[..., "CompletedProcess[str]"]
FAMILIES = sorted({case.op.module for case in CASES})


def bits(result: Any) -> list[tuple[str, tuple[int, ...], bytes]]:
    """The results, bit by bit."""
    return [(str(y.dtype), y.shape, y.numpy().tobytes()) for y in result]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.removeprefix("polytape.ops."))
def test_each_op_of_the_kit_runs_from_a_file_with_the_same_bits_and_text(family: str, tmp_path: Path) -> None:
    """One sample of each set of attributes, since files hold attributes; values and dtypes are the kernels' matter."""
    path = tmp_path / "graph.safetensors"
    device = device_of("numpy")
    for case in [case for case in CASES if case.op.module == family]:
        seen: set[str] = set()
        for sample, dtype, hosts, what in calls(case, "numpy"):
            attributes = attributes_on(case, sample, device)
            if repr(attributes) in seen or dtype == "bfloat16":
                continue
            seen.add(repr(attributes))
            run_both(case, tensors(case.op, hosts, device, sample.layout), attributes, path, what)


def run_both(case: Case, operands: list[Any], attributes: dict[str, Any], path: Path, what: str) -> None:
    traced = function(lambda *xs: list(call(case.op, xs, attributes)))
    traced.export(path, *operands)
    loaded = pt.load_graph(path)
    assert str(loaded.graph) == str(traced.graph(*operands)), what
    with np.errstate(all="ignore"):
        assert bits(loaded(*operands)) == bits(traced(*operands)), what


# --- random programs --------------------------------------------------------------------------------------------------

# Each takes two float32[3,4] and gives one.
OPS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y,
    lambda x, y: x * 0.5 - y,
    lambda x, y: pt.tanh(x) / (y * y + float("inf")),
    lambda x, y: pt.where(x > y, x, float("nan")),
    lambda x, y: pt.sum(x, axis=0, keepdims=True) + y,
    lambda x, y: pt.reshape(x[:, ::-1][1, ...], (1, 4)) * y,
    lambda x, y: pt.concat([x[2:], y[:2]], axis=0),
    lambda x, y: pt.astype(pt.astype(x, "float64") * 1.5, pt.float32),
    lambda x, y: pt.astype(pt.argsort(x, axis=1, descending=True), pt.float32) - y,
    lambda x, y: pt.permute_dims(pt.reshape(x, (4, 3)), (1, 0)) + y,
    lambda x, y: pt.nn.softmax(x, axis=-1) + y,
    lambda x, y: (x @ pt.permute_dims(y, (1, 0))) @ y * 0.01,
    lambda x, y: x[pt.asarray([2, 0, 1])] + y[..., None][..., 0],
    lambda x, y: pt.clip(x, -1.0, None) - pt.abs(y),
    lambda x, y: pt.astype(pt.isfinite(x), pt.float32) * -0.0 + y,
    lambda x, y: pt.cumulative_sum(x, axis=1) * pt.ones((4,)),
    lambda x, y: pt.real(pt.astype(x, pt.complex64) * (1.0 + 2.0j)) + y,
    lambda x, y: pt.maximum(x, 0.25),
    lambda x, y: pt.pad(x[1:, 1:], ((1, 0), (0, 1))) + y,
]
STEPS = st.lists(
    st.tuples(st.integers(0, len(OPS) - 1), st.integers(0, 40), st.integers(0, 40)), min_size=5, max_size=40
)

RUNS = """
import pathlib, sys
import numpy as np
import polytape as pt

assert "hypothesis" not in sys.modules
folder = pathlib.Path({folder!r})
paths = sorted(folder.glob("*.safetensors"))
for path in paths:
    loaded = pt.load_graph(path)
    assert str(loaded.graph) == path.with_suffix(".txt").read_text(encoding="utf-8"), path
    data = np.load(path.with_suffix(".npz"))
    with np.errstate(all="ignore"):
        for turn in range(2):
            results = loaded(data["x"], data["y"])
            for position, result in enumerate(results["all"]):
                expected, got = data[f"r{{turn}}_{{position}}"], result.numpy()
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape), path
                assert got.tobytes() == expected.tobytes(), path
        assert loaded.variables[0].numpy().tobytes() == data["w"].tobytes(), path
print(len(paths))
"""


def test_random_programs_run_in_another_process_with_the_same_bits(child: Child, tmp_path: Path) -> None:
    numbers = itertools.count()

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS, seed=st.integers(0, 1000))
    def export(steps: list[tuple[int, int, int]], seed: int) -> None:
        generator = np.random.default_rng(seed)
        x, y, start, constant = generator.standard_normal((4, 3, 4)).astype("float32")
        w, fixed = pt.Variable(start, name="w"), pt.asarray(constant)

        @pt.function
        def program(x: Any, y: Any) -> Any:
            values = [x, y, w, fixed]
            for op, left, right in steps:
                values.append(OPS[op](values[left % len(values)], values[right % len(values)]))
            w.assign(values[-1] + 0.5)
            return {"all": values[-3:]}

        path = tmp_path / f"{next(numbers):04}.safetensors"
        program.export(path, x, y)
        path.with_suffix(".txt").write_text(str(program.graph(x, y)), encoding="utf-8")
        arrays = {"x": x, "y": y}
        with np.errstate(all="ignore"):
            for turn in range(2):
                results = program(x, y)["all"]
                arrays |= {f"r{turn}_{position}": result.numpy() for position, result in enumerate(results)}
        np.savez(path.with_suffix(".npz"), **arrays, w=w.numpy())

    export()
    assert int(child(RUNS.format(folder=str(tmp_path))).stdout) == next(numbers) >= 60


# --- what a file holds ------------------------------------------------------------------------------------------------


def test_a_file_is_a_safetensors_file_with_the_tensors_and_no_folder_of_the_source(tmp_path: Path) -> None:
    w = pt.Variable([1.0, 2.0], name="w")
    path = tmp_path / "graph.safetensors"
    pt.function(lambda x: x * w + pt.asarray([3.0, 4.0])).export(path, pt.ones((2,)))
    with open_tensors(str(path)) as file:
        assert file.has_checksums
        assert {name: file.read(name).tolist() for name in file.names} == {
            "variables/w": [1.0, 2.0],
            "constants/0": [3.0, 4.0],
        }
    assert str(Path(__file__).parent).encode() not in path.read_bytes()
    assert Path(__file__).name.encode() in path.read_bytes()


def test_the_graph_is_the_one_before_fusion(tmp_path: Path) -> None:
    traced = pt.function(lambda x: pt.tanh(x * 2.0) + 1.0)
    x = pt.ones((400, 400))
    assert "fused" in str(traced.graph(x))
    path = tmp_path / "graph.safetensors"
    traced.export(path, x)
    loaded = pt.load_graph(path)
    assert str(loaded.graph) == str(traced.graph(x)) and b"fused" not in path.read_bytes()
    assert [e.op.name for e in optimise(traced.trace(x), fuse=False).equations] == ["multiply", "tanh", "add"]
    assert bits([loaded(x)]) == bits([traced(x)])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (lambda x: {"a": deque([x])}, "its results, which contain a deque"),
        (lambda x: (x, len), "its results, which contain a builtin_function_or_method"),
        (lambda x: {1.5: x}, "its results, which contain a dict"),
    ],
)
def test_results_that_have_no_form_in_a_file_are_errors(body: Any, text: str, tmp_path: Path) -> None:
    path = tmp_path / "graph.safetensors"
    with pytest.raises(TraceError, match=f"cannot be exported because of {text}"):
        pt.function(body).export(path, pt.ones((2,)))
    assert not path.exists()


def test_a_learning_rate_that_is_a_function_cannot_leave_the_process(tmp_path: Path) -> None:
    w = pt.Variable([1.0])
    optimizer = pt.optim.SGD(lambda: 0.1)

    @pt.function
    def step(x: Any) -> None:
        optimizer.apply_gradients([(x, w)])

    with pytest.raises(TraceError, match=r"because of SGD\.learning_rate, a function that runs before each call"):
        step.export(tmp_path / "graph.safetensors", pt.ones((1,)))


def test_an_argument_whose_container_has_no_form_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="because of the argument x, which contains a deque"):
        pt.function(lambda x: x[0]).export(tmp_path / "graph.safetensors", deque([pt.ones((1,))]))


def test_a_random_draw_that_nothing_uses_is_no_second_device(tmp_path: Path) -> None:
    pytest.importorskip("polytape_sim")
    generator, path = pt.random.Generator(3), tmp_path / "graph.safetensors"

    def body(x: Any) -> Any:
        _ = pt.random.uniform((2,), generator=generator)
        return x * 2.0

    with pt.device("sim"):
        pt.function(body).export(path, pt.ones((2,)))
    for device in ("sim", "numpy"):
        assert pt.load_graph(path, device=device)(pt.ones((2,), device=device)).tolist() == [2.0, 2.0]
