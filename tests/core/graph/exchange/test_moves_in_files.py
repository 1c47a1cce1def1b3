"""Graphs that move tensors between devices, in files: a loaded one runs on any one device, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DeviceError
from polytape.tensors import structure

Child = Callable[..., "CompletedProcess[str]"]
Program = Callable[[str, str], Callable[[Any], Any]]
PLACES = [("sim", "numpy"), ("numpy", "sim"), ("numba", "sim"), ("numpy", "numba")]  # of the state, and of the data
X = np.asarray([1.0, -2.5, 3.0], "float32")


def weights(state: str) -> pt.Variable:
    return pt.Variable(pt.asarray([2.0, 3.0, 4.0], device=state), name="w")


def training(state: str, data: str) -> Callable[[Any], Any]:
    w, last = weights(state), pt.Variable(pt.zeros((3,), device=data), name="last", trainable=False)

    def step(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            error = pt.sum((x.to_device(state) * w) ** 3)
        back, g = tape.gradient(error, [x, w])
        w.assign(w - 0.25 * g)
        last.assign(w.to_device(data) + back)  # over the border, to another variable
        return {"error": error, "back": back}

    return step


def there_and_back(state: str, data: str) -> Callable[[Any], Any]:
    """Nothing but moves, of an argument and of a variable, which are results too."""
    w = weights(state)
    return lambda x: [x.to_device(state), x.to_device(state).to_device(data), w.to_device(data), x]


def control_flow(state: str, data: str) -> Callable[[Any], Any]:
    w = weights(state)

    def run(x: Any) -> Any:
        branch = pt.cond(pt.sum(x) > 0, lambda: w.to_device(data) * x, lambda: x.to_device(state).to_device(data))
        loop = pt.fori_loop(0, 3, lambda _, carry: carry * 1.5 + w.to_device(data), x)
        rows = pt.scan(lambda carry, row: (carry + row.to_device(state), row), w, pt.stack([x, x * 2.0]))
        return [branch, loop, *rows]

    return run


def two_parts(state: str, data: str) -> Callable[[Any], Any]:
    """Two computations that never meet, on a device each; no equation moves anything."""
    w = weights(state)
    return lambda x: (x * 2.0, w * 2.0)


def created(state: str, data: str) -> Callable[[Any], Any]:
    """Ops that say where their result is, and a constant."""
    fixed = pt.asarray([0.5, 0.25, 0.125], device=state)
    return lambda x: (pt.arange(3, device=state) + fixed + pt.ones((3,), device=state)).to_device(data) * x


def noise(state: str, data: str) -> Callable[[Any], Any]:
    generator, w = pt.random.Generator(7), weights(state)

    def run(x: Any) -> Any:
        near = pt.random.uniform((3,), generator=generator, device=data) + x
        far = pt.random.uniform((3,), generator=generator, device=state) * w
        return near, far, near + far.to_device(data)

    return run


PROGRAMS: list[Program] = [training, there_and_back, control_flow, two_parts, created, noise]


def values(results: Any) -> list[Any]:
    return [x.numpy() for x in structure.leaves(results)]


RUNS = """
import pathlib, sys
import numpy as np
import polytape as pt
from polytape.tensors import structure

folder, count = pathlib.Path({folder!r}), 0
for path in sorted(folder.glob("*.safetensors")):
    data = np.load(path.with_suffix(".npz"))
    for device in ("numpy", "numba", "sim"):
        loaded = pt.load_graph(path, device=device)
        assert "to_device" not in str(loaded.graph)
        for turn in range(2):
            results = structure.leaves(loaded(pt.asarray(data["x"], device=device)))
            for position, result in enumerate(results):
                expected, got = data[f"r{{turn}}_{{position}}"], result.numpy()
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape), (path, device)
                assert got.tobytes() == expected.tobytes(), (path, device, got, expected)
                assert result.device.backend == device, (path, device)
        for variable in loaded.variables:
            assert variable.numpy().tobytes() == data["v_" + variable.name].tobytes(), (path, device)
        count += 1
print(count)
"""


def test_a_graph_with_moves_has_the_same_bits_in_another_process_on_each_backend(child: Child, tmp_path: Path) -> None:
    pytest.importorskip("polytape_sim")
    for program in PROGRAMS:
        for state, data in PLACES:
            body = program(state, data)
            traced, x = pt.function(body), pt.asarray(X, device=data)
            path = tmp_path / f"{program.__name__}-{state}-{data}.safetensors"
            traced.export(path, x)
            arrays = {"x": X}
            for turn in range(2):
                arrays |= {f"r{turn}_{k}": y for k, y in enumerate(values(traced(x)))}
            held = [cell.cell_contents for cell in body.__closure__ or ()]
            arrays |= {f"v_{v.name}": v.numpy() for v in held if isinstance(v, pt.Variable)}
            np.savez(path.with_suffix(".npz"), **arrays)
    assert int(child(RUNS.format(folder=str(tmp_path))).stdout) == 3 * len(PROGRAMS) * len(PLACES)


def test_a_loaded_graph_without_its_moves_is_differentiable(tmp_path: Path) -> None:
    pytest.importorskip("polytape_sim")
    w = weights("sim")
    traced = pt.function(lambda x: pt.sum((x.to_device("sim") * w) ** 3).to_device("numpy"))
    traced.export(tmp_path / "graph", pt.asarray(X))
    loaded = pt.load_graph(tmp_path / "graph")
    found = []
    for f, variable in ((traced, w), (loaded, loaded.variables[0])):
        x = pt.asarray(X)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        found.append([g.tolist() for g in tape.gradient(y, [x, variable])])
    assert found[0] == found[1]


def test_a_state_of_random_ops_that_is_also_a_result_on_another_device_is_an_error(tmp_path: Path) -> None:
    """A state that random ops read cannot be moved with the rest, so a graph that also returns it is an error."""
    pytest.importorskip("polytape_sim")
    generator = pt.random.Generator(3)

    def body(x: Any) -> Any:
        return x * pt.random.uniform((3,), generator=generator), generator.state.to_device("sim")

    with (
        pt.device("sim"),
        pytest.raises(DeviceError, match=r"random_uniform \(test_moves_in_files\.py:\d+\) reads a value on the host"),
    ):
        pt.function(body).export(tmp_path / "graph", pt.ones((3,)))
