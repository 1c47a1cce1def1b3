"""A worker: answers one line of JSON with another until its input ends; run as a script, ``python worker.py SETTINGS``.

SETTINGS is JSON: ``side``, the folder of the side's build, or "" for the polytape that is installed; ``cases``, a file
with more cases, or ""; ``extra_work``, a share of more calls per turn, with which the gate proves that it sees a
slowdown. Two settings take the place of requests: ``run`` has a case, a device and a number of calls, after which the
worker ends; with ``start``, a device, the worker prints which modules `import polytape` and the first op on it load.

==========  =====================================  ==========================================================
do          also                                   the answer
==========  =====================================  ==========================================================
backends                                           name -> status, reason, device, ops that have a kernel
open        case, device                           seconds per call, after a warm-up; makes the case current
turn        calls                                  seconds that so many calls of the current case took
count       case, device                           opcodes, allocations, kernels by op, bytes; each if it can be
                                                   counted
==========  =====================================  ==========================================================

An answer has ``error`` instead if the work failed; the worker stays usable.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import itertools
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TURN_S = 0.001
WARM_UP_S = 0.05


def load(name: str) -> Any:
    """A module or a package that lies beside this file, whatever else is installed."""
    place = Path(__file__).with_name(name)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"polytape_perf_{name}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Worker:
    """Answers requests."""

    def __init__(self, side: str, extra_work: float, cases: str) -> None:
        import polytape as pt

        # The side may be a backend's distribution alone, beside the polytape that is installed.
        if side and Path(side, "polytape").exists() and not Path(str(pt.__file__)).is_relative_to(side):
            raise RuntimeError(f"polytape was loaded from {pt.__file__}, not from {side}")
        self.pt = pt
        self.measures = load("measures")
        self.suite, self.file = load("cases"), cases
        self.cases = {case.name: case for case in self.suite.known(cases)}
        self.extra_work = extra_work
        self.call: Any = None
        self.wait: Any = None

    def answer(self, request: dict[str, Any]) -> Any:
        """The answer to one request."""
        work: Any = getattr(self, f"do_{request.pop('do')}")
        return work(**request)

    def case(self, name: str) -> Any:
        """A case by its name."""
        if name not in self.cases:  # those of single kernels take a second to load
            self.cases = {case.name: case for case in self.suite.every(self.file)}
        return self.cases[name]

    def make(self, case: str, device: str) -> None:
        """Make a case current."""
        resolved = self.pt.asarray(0.0, device=device).device
        synchronize = self.pt.get_backend(resolved.backend).synchronize
        self.wait = lambda: synchronize(resolved)
        with self.pt.device(device):
            self.call = self.case(case).make(device)

    def do_backends(self) -> Any:
        """The backends of this side."""
        found = {}
        for status in self.pt.backends():
            ready = status.status == "ready" and bool(status.devices)
            found[status.name] = {
                "status": status.status,
                "reason": status.reason,
                "device": f"{status.name}:{status.devices[0].kind}" if ready else "",
                "kernels": sorted({k.op for k in self.pt.get_backend(status.name).all_kernels()}) if ready else [],
            }
        return found

    def do_open(self, case: str, device: str) -> Any:
        """Make a case current; its seconds per call."""
        self.make(case, device)
        gc.collect()
        gc.freeze()
        gc.disable()
        until = time.perf_counter() + WARM_UP_S
        calls = 1
        while time.perf_counter() < until:
            elapsed = self.timed(calls)
            if elapsed < TURN_S:
                calls *= 2
        return elapsed / calls

    def do_turn(self, calls: int) -> Any:
        """Seconds of one turn."""
        return self.timed(calls + round(calls * self.extra_work))

    def timed(self, calls: int) -> float:
        """Seconds that so many calls take on the idle device."""
        call = self.call
        self.wait()
        begin = time.perf_counter()
        for _ in itertools.repeat(None, calls):
            call()
        self.wait()
        return time.perf_counter() - begin

    # --- counting -----------------------------------------------------------------------------------------------------

    def do_count(self, case: str, device: str) -> Any:
        """What a call costs."""
        if not self.case(case).counted:
            return {"kernels": {}}
        counts: dict[str, Any] = {"kernels": self.kernels(case, device)}
        self.make(case, device)
        for _ in range(4):
            self.call()  # fills caches
        first, second = self.measures.opcodes(self.call), self.measures.opcodes(self.call)
        if first == second:  # otherwise the call is not steady, such as one that waits for a thread
            counts["opcodes"] = first
        allocations = load("allocations").allocations(self.call)
        if allocations is not None:
            counts["allocations"] = allocations
        if self.pt.get_backend(device.split(":")[0]).host:
            counts["bytes"] = self.measures.peak_nbytes(self.call)
        return counts

    def run(self, case: str, device: str, calls: int) -> None:
        """Call a case so often, for a tool that counts the instructions of the process."""
        self.make(case, device)
        for _ in itertools.repeat(None, calls):
            self.call()
        self.wait()

    def kernels(self, case: str, device: str) -> dict[str, int]:
        """Calls of the backend's kernels by op, on a backend like it that counts them."""
        ran = Counter[str]()
        name, kind = device.split(":")
        with self.pt.register_backend(self.measures.counting_backend("polytape-perf", name, ran)):
            self.make(case, f"polytape-perf:{kind}")
            with self.pt.device(f"polytape-perf:{kind}"):
                for _ in range(4):
                    self.call()
                ran.clear()
                self.call()
        self.call = None
        return dict(sorted(ran.items()))


def modules(device: str) -> dict[str, list[str]]:
    """The modules that `import polytape` loads, and those that the first op on a device loads after it."""
    before = {*sys.modules}
    pt = importlib.import_module("polytape")
    imported = {*sys.modules}
    pt.add(pt.asarray([1.0], device=device), 1.0)
    return {"import": sorted(imported - before), "first_op": sorted({*sys.modules} - imported)}


def main() -> None:
    """Answer requests; what a program prints goes to standard error, so that answers stay whole lines."""
    settings = json.loads(sys.argv[1])
    # A script's own folder comes first on the path: with it, `import report` would find a file of this package.
    sys.path[0:1] = [settings["side"]] if settings["side"] else []
    if "start" in settings:
        print(json.dumps(modules(settings["start"])))
        return
    if "run" in settings:
        Worker(settings["side"], 0.0, settings["cases"]).run(**settings["run"])
        return
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(settings["side"], settings["extra_work"], settings["cases"])
    for line in sys.stdin:
        try:
            answer = {"answer": worker.answer(json.loads(line))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
