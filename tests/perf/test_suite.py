"""The cases as benchmarks of asv: what a sample is, what is skipped, and what asv finds."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pytest

import polytape as pt
from polytape_perf import suite
from polytape_perf.asv_plugin import SELECTION
from polytape_perf.cases import every
from polytape_perf.suite import families

FOUND = families()


def prepared(family: str, device: str, case: str) -> Any:
    benchmark = FOUND[family]()
    benchmark.setup(device, case)
    return benchmark


def test_every_case_is_a_parameter_of_its_familys_class_and_every_device_is_listed() -> None:
    names = {f"{name.lower()}/{case}" for name, family in FOUND.items() for case in family.params[1]}
    assert names == {case.name for case in every()}
    assert {"numpy:cpu", "numba:cpu", "cupy:gpu", "sim:sim"} <= set(FOUND["Dispatch"].params[0])


def test_a_selection_of_cases_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SELECTION, "panel")
    names = {f"{name.lower()}/{case}" for name, family in families().items() for case in family.params[1]}
    assert names == {case.name for case in every() if case.panel}


def test_an_older_kit_leaves_out_single_kernels_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "polytape_perf.cases.kernels", None)  # importing it raises an ImportError
    found = families()
    assert "Kernels" not in found and set(FOUND) - {"Kernels", "Views"} == set(found)
    assert "without the cases of single kernels" in capsys.readouterr().err


def test_a_family_prepares_once() -> None:
    family = prepared("Dispatch", "numpy:cpu", "add")
    call = family._call
    family.setup("numpy:cpu", "add")
    assert family._call is call


def test_a_sample_is_one_call_however_often_the_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    family = prepared("Dispatch", "numpy:cpu", "add")
    seconds = itertools.count(step=0.5)  # per call of the clock
    monkeypatch.setattr(suite.time, "perf_counter", lambda: next(seconds))
    calls: list[int] = []
    family._call, family._calls = lambda: calls.append(1), 50
    begin = family.timer()
    family.time_case("numpy:cpu", "add")
    assert family.timer() - begin == pytest.approx(0.5 / 50)
    assert len(calls) == 50


def test_a_call_of_a_millisecond_and_more_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    family = prepared("Dispatch", "numpy:cpu", "add")
    now = [0.0]
    monkeypatch.setattr(suite.time, "perf_counter", lambda: now[0])
    for seconds, calls in ((0.02, 1), (1e-4, 10), (1e-6, 1000)):
        family._call = lambda seconds=seconds: now.__setitem__(0, now[0] + seconds)
        assert family._calibrated() == pytest.approx(calls, rel=0.01)


def test_the_clock_waits_for_the_device() -> None:
    waited: list[str] = []
    backend = pt.Backend(name="slow", extends="numpy", synchronize=lambda device: waited.append(str(device)))
    with pt.register_backend(backend):
        family = prepared("Dispatch", "slow:cpu", "add")
        waited.clear()
        assert family.timer() <= family.timer()
    assert waited == ["slow:cpu:0", "slow:cpu:0"]


def test_what_cannot_be_measured_is_skipped_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotImplementedError, match="no backend 'nobody'"):
        prepared("Dispatch", "nobody:cpu", "add")
    assert "skipped: no backend 'nobody'" in capsys.readouterr().err
    with pytest.raises(NotImplementedError, match="it runs no device; see numpy"):
        prepared("Tensorflow", "sim:sim", "np_multiply")


def test_a_case_that_fails_is_no_skipped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(device: str) -> Any:
        raise pt.errors.ShapeError("wrong")

    monkeypatch.setitem(FOUND["Dispatch"].cases, "add", FOUND["Dispatch"].cases["add"]._replace(make=fails))
    with pytest.raises(pt.errors.ShapeError, match="wrong"):
        prepared("Dispatch", "numpy:cpu", "add")


def test_the_memory_family_has_the_peak_of_a_call() -> None:
    family = prepared("Memory", "numpy:cpu", "20_tanh_of_1_MB")
    assert 20e6 < family.track_peak_nbytes("numpy:cpu", "20_tanh_of_1_MB") < 1.05 * 22e6
