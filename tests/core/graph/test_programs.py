"""Programs at random compute the same eagerly, traced, after every pass, and from a file in another process."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph import PASSES, Executable, Graph, check, optimise
from polytape.graph.passes import dead_code, regions

Program: Any = importlib.import_module("random_programs").Program
RUNNER = Path(__file__).parent / "generated" / "run_exported.py"

# What a backend compiles from a cluster gives the bits of its kernels, or on these backends so many ulp.
FUSED_ULP = {"numba": 64}
QUICK = {"numpy": range(60), "sim": range(1000, 1003), "numba": range(2000, 2004)}
# With --exhaustive, as each night: 5,000 programs.
SLOW = {"numpy": range(150, 900), "sim": range(1010, 1030), "numba": range(2010, 2040)}
NIGHTLY = {"numpy": range(10_000, 14_600), "sim": range(15_000, 15_200), "numba": range(16_000, 16_200)}


# Each pass by itself; the last one runs the others in the regions of control flow.
ALONE: dict[str, Any] = {run_pass.__name__: run_pass for run_pass in PASSES}
ALONE["regions"] = lambda graph: regions(graph, lambda region: optimise(region, check, fuse=False))


def bits(x: Any) -> bytes:
    """An array's bits, with one NaN for all."""
    x = np.asarray(x)
    return (np.where(np.isnan(x), np.nan, x).astype(x.dtype) if x.dtype.kind == "f" else x).tobytes()


def difference(got: Sequence[Any], expected: Sequence[Any], ulp: int = 0) -> str:
    """Where results differ; empty if they are the same, or within so many units of the largest element."""
    for position, (x, y) in enumerate(zip(got, expected, strict=True)):
        if (x.dtype, x.shape) != (y.dtype, y.shape):
            return f"result {position}: {x.dtype}{x.shape} instead of {y.dtype}{y.shape}"
        if bits(x) == bits(y):
            continue
        if not ulp or x.dtype.kind != "f":
            return f"result {position}: {x} instead of {y}"
        finite = np.abs(y[np.isfinite(y)])
        eps = np.finfo(x.dtype).eps
        if not np.allclose(x, y, rtol=ulp * eps, atol=ulp * eps * float(finite.max(initial=1.0)), equal_nan=True):
            return f"result {position}: {x} instead of {y}, which is more than {ulp} ulp"
    return ""


def eager(program: Any) -> list[Any]:
    """The results, then the variable."""
    results = [x.numpy().copy() for x in program(*program.inputs())]
    return [*results, program.w.numpy().copy()]


def run(graph: Graph, program: Any, device: str) -> list[Any]:
    """The results of a graph, then the values to assign to the variable and the generator."""
    arguments = [x.array for x in program.inputs()]
    state = [x.holder.array for x in graph.variables if x.holder is not None]
    read = [array for source in graph.sources for array in source.read()]
    to_host = pt.get_backend(device).to_host
    types = [*graph.output_types, *(variable.type for variable, _ in graph.writes)]
    return [
        np.array(to_host(x) if t.device.backend == device else x)
        for x, t in zip(Executable(graph).run(*arguments, *state, *read), types, strict=True)
    ]


def fails(program: Any, device: str, fired: Counter[str]) -> str:
    """How a program differs from itself after a pass; empty if it does not."""
    expected = eager(program)
    traced = pt.function(program)
    graph = traced.trace(*program.inputs())
    reference = run(graph, program, device)
    count = len(graph.outputs)
    found = difference(reference[:count], expected[:count])
    if found:
        return f"traced: {found}"
    for name, run_pass in ALONE.items():
        before = dead_code(graph) if name == "fusion" else graph  # a cluster needs results
        after = run_pass(before)
        check(after, name)
        fired[name] += str(after) != str(before)
        found = difference(run(after, program, device), reference, FUSED_ULP.get(device, 0) if name == "fusion" else 0)
        if found:
            return f"after {name} alone: {found}"
    found = difference(run(optimise(graph, check, fuse=False), program, device), reference)
    if found:
        return f"after all passes but fusion: {found}"
    inputs = program.inputs()
    called = [*(x.numpy() for x in traced(*inputs)), program.w.numpy()]
    found = difference(called, expected, FUSED_ULP.get(device, 0))
    return f"called: {found}" if found else ""


def shortest(seed: int, steps: int, device: str) -> str:
    """The first steps of a program that fail, and how."""
    for n in range(1, steps + 1):
        program = Program(seed, n)
        found = fails(program, device, Counter())
        if found:
            return f"Program({seed}, {n}) on {device}, whose last step is {program.taken[-1]!r}: {found}"
    return f"Program({seed}) on {device} failed once"


def check_programs(device: str, seeds: range) -> Counter[str]:
    """Check programs; returns how often each pass changed one."""
    if device not in {x.name for x in pt.backends() if x.status == "ready"}:
        pytest.skip(f"{device} is not ready")
    fired: Counter[str] = Counter()
    with np.errstate(all="ignore"), pt.device(device):
        for seed in seeds:
            program = Program(seed)
            if fails(program, device, fired):
                pytest.fail(shortest(seed, program.steps, device))
    return fired


def seeds(config: pytest.Config, device: str) -> range:
    return NIGHTLY[device] if config.getoption("--exhaustive") else SLOW[device]


# Few of these programs have what layout and assembly change: their own tests have random programs that do.
# kernel_choice changes which kernel an equation has, which the compared text does not show; test_kernel_choice.py has
# examples.
RARE = {"assembly", "layout", "kernel_choice"}


@pytest.fixture(autouse=True)
def _clusters_of_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let numpy, and numba with it, compile clusters of all arrays with axes too."""
    monkeypatch.setattr(importlib.import_module("polytape_numpy.compiling"), "SMALLEST", 2)


@pytest.mark.parametrize("device", QUICK)
def test_programs_compute_the_same_after_every_pass(device: str) -> None:
    fired = check_programs(device, QUICK[device])
    assert fired["fusion"], fired
    if device == "numpy":  # on which there are enough of them
        assert all(fired[name] for name in ALONE.keys() - RARE), fired


@pytest.mark.slow
@pytest.mark.parametrize("device", QUICK)
def test_many_programs_compute_the_same_after_every_pass(device: str, pytestconfig: pytest.Config) -> None:
    fired = check_programs(device, seeds(pytestconfig, device))
    assert all(fired[name] for name in ALONE.keys() - RARE), fired


# --- in another process -----------------------------------------------------------------------------------------------


def check_exported(folder: Path, programs: dict[str, range]) -> int:
    """Export programs, run them in another process, and compare two runs in a row bit by bit; returns how many."""
    expected: dict[str, list[Any]] = {}
    for device, numbers in programs.items():
        if device not in {x.name for x in pt.backends() if x.status == "ready"}:
            continue
        with np.errstate(all="ignore"), pt.device(device):
            for seed in numbers:
                program, name = Program(seed), f"{device}-{seed}"
                traced = pt.function(program)
                inputs = program.inputs()
                traced.export(folder / f"{name}.safetensors", *inputs)
                np.savez(folder / f"{name}.npz", **{f"x{k}": x for k, x in enumerate(program.arrays)})
                results = [x.numpy().copy() for _ in range(2) for x in traced(*inputs)]
                kept = any(x.holder is program.w for x in traced.graph(*inputs).variables)
                expected[name] = [*results, *([program.w.numpy().copy()] if kept else [])]
    done = subprocess.run([sys.executable, str(RUNNER), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, wanted in expected.items():
        with np.load(folder / f"{name}.out.npz") as arrays:
            got = [arrays[key] for key in arrays.files]
        found = difference(got, wanted)
        assert not found, f"{name}: {found}"
    return len(expected)


def test_exported_programs_give_the_same_bits_in_another_process(tmp_path: Path) -> None:
    assert check_exported(tmp_path, {"numpy": range(16), "sim": range(2), "numba": range(2000, 2002)}) >= 16


@pytest.mark.slow
def test_many_exported_programs_give_the_same_bits_in_another_process(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    shares = {"numpy": 1, "sim": 2, "numba": 2}
    chosen = {device: seeds(pytestconfig, device)[:: shares[device]] for device in shares}
    assert check_exported(tmp_path, chosen) >= len(chosen["numpy"])


def test_the_comparison_finds_a_changed_bit_and_the_shortest_program() -> None:
    x = np.asarray([1.0, np.nan], "float32")
    assert not difference([x], [x.copy()]) and difference([np.nextafter(x, 2)], [x])
    assert not difference([np.nextafter(x, 2)], [x], ulp=1) and difference([x * 1.01], [x], ulp=64)
    assert difference([x.astype("float64")], [x], ulp=64) and difference([x[:1]], [x])
    kinds = Counter(kind for seed in range(40) for kind in taken(seed))
    assert min(kinds[name] for name in ("gradient", "vmap", "scan", "cond", "loop", "assign", "random")) > 0
    assert {len(taken(seed)) for seed in range(40)} <= set(range(5, 41))


def taken(seed: int) -> list[str]:
    program = Program(seed)
    with np.errstate(all="ignore"):
        program(*program.inputs())
    steps: list[str] = program.taken
    return steps
