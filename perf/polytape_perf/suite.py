"""The cases as benchmarks of asv: one class per family, whose parameters are the device and the case.

A module in asv's ``benchmark_dir`` takes them over with ``globals().update(families())``.

asv calls a benchmark that has a set-up hook once per sample, and what asv itself does around the call is part of the
sample. So a benchmark here repeats its case for about a millisecond, and its clock counts that loop as one call: what
asv shows is the time of one call, whatever the machine. The clock waits for the device before it is read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from typing import Any, Final

import polytape as pt

from . import cases
from .asv_plugin import SELECTION
from .cases import Case, Skipped
from .cases.case import Call

__all__ = ["families"]

_KNOWN: Final = ("numpy:cpu", "numba:cpu", "cupy:gpu")  # always listed: a missing one is then shown as n/a
_SAMPLE_S: Final = 0.001
_WARM_UP_S: Final = 0.05


def _devices() -> tuple[str, ...]:
    ready = [status for status in pt.backends() if status.status == "ready" and status.devices]
    return tuple(dict.fromkeys([*_KNOWN, *[f"{status.name}:{status.devices[0].kind}" for status in ready]]))


class _Family:
    """The benchmarks of a family; a subclass has its cases."""

    cases: dict[str, Case]
    params: tuple[tuple[str, ...], ...]
    param_names = ("device", "case")
    number = 1
    repeat = (3, 20, 2.0)
    rounds = 2
    warmup_time = 0.0  # the set-up has warmed up
    timeout = 120
    _prepared: tuple[str, str] | None = None

    def setup(self, device: str, case: str) -> None:
        """Make the call, warm up, and find out how often to repeat it; asv runs this before each sample."""
        if self._prepared == (device, case):
            return
        try:
            resolved = pt.asarray(0.0, device=device).device
            with pt.device(device):
                self._call = self.cases[case].make(device)
        except (pt.PolytapeError, Skipped) as error:
            if not isinstance(error, Skipped) and self._usable(device):
                raise
            print(f"skipped: {str(error).splitlines()[0]}", file=sys.stderr)
            raise NotImplementedError(str(error)) from None  # asv shows n/a
        synchronize = pt.get_backend(resolved.backend).synchronize
        self._wait: Call = lambda: synchronize(resolved)
        self._calls = self._calibrated()
        self.timer = self._clock
        self._prepared = (device, case)

    @staticmethod
    def _usable(device: str) -> bool:
        try:
            pt.asarray(0.0, device=device)
        except pt.PolytapeError:
            return False
        return True

    def _clock(self) -> float:
        """Seconds, divided by the number of calls in a sample."""
        self._wait()
        return time.perf_counter() / self._calls

    def _repeat(self, calls: int) -> None:
        call = self._call
        for _ in itertools.repeat(None, calls):
            call()

    def _calibrated(self) -> int:
        """Warm up; the number of calls that take a millisecond."""
        calls, fastest, until = 1, float("inf"), time.perf_counter() + _WARM_UP_S
        while True:
            begin = time.perf_counter()
            self._repeat(calls)
            self._wait()
            now = time.perf_counter()
            fastest = min(fastest, (now - begin) / calls)  # another one may have been disturbed
            if now > until and now - begin >= _SAMPLE_S:
                return max(1, round(_SAMPLE_S / fastest))
            if now - begin < _SAMPLE_S:
                calls *= 2

    def time_case(self, device: str, case: str) -> None:
        """One call."""
        self._repeat(self._calls)

    time_case.version = "2: one call, of a loop of a millisecond"  # type: ignore[attr-defined]  # asv reads it


class _Memory(_Family):
    """Beside the time, the peak of the bytes in use during a call, minus those in use before it."""

    def track_peak_nbytes(self, device: str, case: str) -> int:
        """Bytes."""
        from .measures import peak_nbytes

        return peak_nbytes(self._call)

    track_peak_nbytes.version = "2: second call"  # type: ignore[attr-defined]
    track_peak_nbytes.unit = "bytes"  # type: ignore[attr-defined]


def _load(device: str) -> None:
    """Import what a backend imports with its first kernels: asv forks a process for each benchmark after that."""
    with contextlib.suppress(pt.PolytapeError), pt.device(device):
        pt.sum(pt.ones((64,)) * 2.0)


def _chosen(file: str) -> list[Case]:
    """The cases of a quick run, or all; those of single kernels need the kit of this polytape, or a later one."""
    patterns = os.environ.get(SELECTION, "")
    try:
        return cases.selected(patterns, file) if patterns else cases.every(file)
    except ImportError as error:
        print(f"without the cases of single kernels: {error}", file=sys.stderr)
        return cases.known(file)


def families(file: str = "") -> dict[str, Any]:
    """Name -> class of each family, with the cases of a file too; see `polytape_perf.cases.known`."""
    devices = _devices()
    for device in devices:
        _load(device)
    found = {}
    for family, members in cases.by_family(_chosen(file)).items():
        base = _Memory if family == "memory" else _Family
        content = {"cases": members, "params": (devices, tuple(members)), "__module__": __name__}
        found[family.capitalize()] = type(family.capitalize(), (base,), content)
    return found
