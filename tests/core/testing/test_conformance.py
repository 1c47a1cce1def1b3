"""`conformance`: the kit without pytest. Each failure comes with a program that reproduces it."""

from __future__ import annotations

import itertools
import json
import re
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Limits, Streams
from polytape.cli import main
from polytape.testing import CASES, CHECKS, TRANSFERS, conformance, suite, unreached_kernels
from polytape.testing.coverage import coverage
from polytape.testing.limits import Inapplicable
from polytape.testing.programs import FAULTS, GRAPHS, STATES
from polytape.testing.reporting import badge, coverage_text
from polytape.testing.tiers import TIERS, find_check

MODULE = """
import numpy as np
import polytape as pt

calls = [0]

def wider(x1, x2):
    return np.add(x1, x2, dtype="float64") if x1.dtype == np.float32 else np.add(x1, x2)

def exp(x):
    y = np.exp(x)
    return np.where(np.isnan(x), 0, y).astype(x.dtype)

def unsteady(x):
    calls[0] += 1
    return np.log1p(x) * (1 + calls[0] % 2 * np.finfo(x.dtype).eps) if x.dtype == np.float64 else np.log1p(x)

def transposed(x1, x2):
    return np.matmul(x1, x2) + (x1.shape[-1] == 0)

def tanh(x):
    return np.tanh(x) + np.asarray(1e-9 * np.sin(1e4 * x), x.dtype)  # right in float32, its derivative is not

def svd(x, *, full_matrices=True):
    u, s, vh = np.linalg.svd(x, full_matrices)
    return u, s, -vh

def truncates(x1, x2):
    if x1.shape[-1:] != x2.shape[-1:] and x1.ndim and x2.ndim and 1 not in (x1.shape[-1], x2.shape[-1]):
        return np.multiply(x1[..., :1], x2[..., :1])
    return np.multiply(x1, x2)

def softmax(x, *, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)

fns = {"add": wider, "exp": exp, "log1p": unsteady, "matmul": transposed, "tanh": tanh, "svd": svd,
       "multiply": truncates, "softmax": softmax, "maximum": lambda x1, x2: np.fmax(x1, x2),
       "sqrt": lambda x: np.sqrt(np.ravel(x, order="K")).reshape(x.shape)}
pt.register_backend(pt.Backend(
    name="faulty", extends="numpy", kernels=[pt.Kernel(op, fn) for op, fn in fns.items()],
    copy=lambda array, device: array,
))
"""
RUNNER = """
import json, sys, warnings
warnings.simplefilter("ignore")
for program in json.load(open(sys.argv[1])):
    try:
        exec(compile(program, "program", "exec"), {"__name__": "__main__"})
        print("nothing")
    except AssertionError as error:
        print("reproduced")
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The JSON report on a backend with a defect per op, and the folder of its module."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "faulty_module.py").write_text(MODULE, encoding="utf-8")
    ops = ["add", "exp", "log1p", "matmul", "tanh", "svd", "multiply", "softmax", "maximum", "sqrt", "abs"]
    words = ["conformance", "faulty", "--module", "faulty_module", "--json", "report.json", "--no-coverage"]
    for file, more in (("ops.json", ["--ops", *ops]), ("whole.json", ["--tier", "T1", "T5"])):
        command = [sys.executable, "-m", "polytape", *words, *more]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert result.returncode == 1, result.stdout + result.stderr
        assert "  reproduce it with\n" in result.stdout and "Traceback" not in result.stderr
        (folder / "report.json").rename(folder / file)
    report = json.loads((folder / "ops.json").read_text(encoding="utf-8"))
    report["failures"] += json.loads((folder / "whole.json").read_text(encoding="utf-8"))["failures"]
    return folder, report


def test_every_planted_defect_is_reported_in_a_tier(failures: tuple[Path, Any]) -> None:
    _, report = failures
    failed = {entry["op"] for entry in report["failures"]}
    planted = {"add", "exp", "log1p", "matmul", "tanh", "svd", "multiply", "softmax", "maximum", "sqrt"}
    assert planted <= failed and "abs" not in failed and report["passed"] is False
    assert {"T1", "T2", "T3", "T4"} <= {entry["tier"] for entry in report["failures"]}
    assert "check_copies_are_independent" in {entry["check"] for entry in report["failures"]}


def test_every_program_reproduces_its_failure(failures: tuple[Path, Any]) -> None:
    folder, report = failures
    programs = [entry["program"] for entry in report["failures"]]
    assert len(programs) > 20
    (folder / "programs.json").write_text(json.dumps(programs), encoding="utf-8")
    command = [sys.executable, "-c", RUNNER, "programs.json"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    outcomes = result.stdout.split()
    wrong = [programs[k] for k, outcome in enumerate(outcomes) if outcome != "reproduced"]
    assert len(outcomes) == len(programs) and not wrong, result.stderr + "\n\n".join(wrong)


def test_a_program_has_the_values_of_one_wrong_element(failures: tuple[Path, Any]) -> None:
    folder, report = failures
    (program,) = [x["program"] for x in report["failures"] if x["op"] == "exp" and x["tier"] == "T2"]
    assert program.splitlines()[0] == "import faulty_module  # registers the backend"
    assert "x1 = pt.asarray(np.array([nan], 'float32'), device='faulty:cpu:0')" in program
    assert "y = pt.exp(x1)" in program and "from numpy import nan" in program
    result = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 1 and "AssertionError: exp" in result.stderr
    right = program.replace("faulty:cpu:0", "numpy:cpu:0")
    assert subprocess.run([sys.executable, "-c", right], cwd=folder, check=False).returncode == 0
    (gradient,) = [x["program"] for x in report["failures"] if x["op"] == "tanh" and x["tier"] == "T4"]
    assert "pt.check_gradients(lambda x1: pt.tanh(x1), [x1], order=2)" in gradient


def test_five_lines_of_python_do_the_same() -> None:
    report = conformance("numpy", tiers=["T2", "T6"], ops=["add", "softmax"])
    assert report.passed and report.tiers == ["T2", "T6"]
    text = str(report)
    assert "T2 core ops in common dtypes: 1 passed, 0 failed, 0 skipped" in text
    assert "coverage of cpu" in text and text.endswith("passed: 3 passed, 0 failed, 0 skipped")


def test_what_a_backend_leaves_to_the_host_is_not_native(narrow: str) -> None:
    """Neither are ops whose bodies need it."""
    backend = pt.get_backend(narrow)
    left = pt.Backend(
        name="left", devices=lambda: [("left", 1)], array_type=np.ndarray, from_host=lambda a, d: np.array(a),
        to_host=lambda a: a, copy=lambda a, d: np.array(a), empty=lambda s, t, d: np.empty(s, t),
        synchronize=lambda d: None, lift=np.asarray, dtypes=["float32"], automatic=False, kernels=backend.kernels,
        host_ops=["matmul", "log1p"],
    )  # fmt: skip
    cases = [case for case in CASES if str(case) in ("add", "matmul", "log2", "square")]
    with pt.register_backend(left):
        table = {op: states["float32"] for op, states in coverage("left", cases)["left"].items()}
    assert table == {"add": "native", "matmul": "host", "square": "decomposed", "log2": "host"}


@pytest.fixture
def narrow() -> Iterator[str]:
    """A backend in float32 alone, without two primitives, which owns its arrays."""
    from polytape_numpy.kernels import build

    backend = pt.Backend(
        name="narrow", devices=lambda: [("narrow", 1)], array_type=np.ndarray, from_host=lambda a, d: np.array(a),
        to_host=lambda a: a, copy=lambda a, d: np.array(a), empty=lambda s, t, d: np.empty(s, t),
        synchronize=lambda d: None, lift=np.asarray, dtypes=["float32"], automatic=False,
        kernels=[kernel for kernel in build(np) if kernel.op in ("add", "multiply", "exp", "abs", "negative")],
        limits=Limits(missing=["sum", "matmul"]),
    )  # fmt: skip
    with pt.register_backend(backend):
        yield "narrow"


def test_what_does_not_apply_is_skipped_with_the_reason(narrow: str) -> None:
    report = conformance(narrow, tiers=["T2", "T4", "T7"], ops=["add", "matmul", "equal"], with_coverage=False)
    reasons = set(report.reasons("T2")) | set(report.reasons("T4")) | set(report.reasons("T7"))
    assert "narrow declares matmul as missing" in reasons
    assert "it runs in float64, which narrow does not support" in reasons
    assert "narrow has one device, on which all other checks run" in reasons
    assert report.counts("T4")["passed"] == report.counts("T7")["passed"] == 0


def test_a_kernel_for_dtypes_that_the_backend_lacks_need_not_be_reached() -> None:
    """NumPy's list of kernels, which a backend without complex numbers may use, has some for these."""
    from polytape_numpy.kernels import build

    missed = pt.Kernel("add", np.add, when=lambda x1, x2: x1.size > 10**6, priority=2)
    backend = pt.Backend(
        name="real", devices=lambda: [("real", 1)], array_type=np.ndarray, from_host=lambda a, d: np.array(a),
        to_host=lambda a: a, copy=lambda a, d: np.array(a), empty=lambda s, t, d: np.empty(s, t),
        synchronize=lambda d: None, lift=np.asarray, dtypes=["bool", "int32", "int64", "float32"], automatic=False,
        kernels=[*build(np), missed],
    )  # fmt: skip
    rows = [case for case in CASES if str(case) in ("add", "complex", "expm1")]
    with pt.register_backend(backend):
        lines = [line for line in unreached_kernels("real", rows) if re.match(r"Kernel\('(add|complex|expm1)'", line)]
    assert len(lines) == 1 and "when=<lambda>, priority=2" in lines[0], lines


def test_nothing_checked_is_not_passed(narrow: str) -> None:
    report = conformance(narrow, tiers=["T4"], ops=["add"], with_coverage=False)
    assert not report.passed and str(report).endswith("nothing was checked: 0 passed, 0 failed, 1 skipped")


def test_coverage_says_how_each_op_runs(narrow: str) -> None:
    cases = [case for case in CASES if str(case) in ("add", "square", "exp", "matmul", "sin", "cos")]
    table = coverage(narrow, cases)["narrow"]
    assert table["add"]["float32"] == "native" and table["add"]["float64"] == "absent"
    assert table["square"]["float32"] == "decomposed" and table["matmul"]["float32"] == "host"
    text = coverage_text({"narrow": table})
    assert text.startswith("coverage of narrow, ops times dtypes: 2 native (n), 1 decomposed (d), ")
    assert "\n    add, exp\n" in text and "\n    cos, matmul, sin\n" in text and text.endswith("\n    square")


def test_coverage_of_ops_that_no_dtype_of_an_operand_decides_has_one_column() -> None:
    cases = [case for case in CASES if str(case) == "random_bits"]
    text = coverage_text(coverage("numpy", cases))
    assert text.splitlines()[1:] == [" any", "   n", "    random_bits"]


def test_options_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    for words, text in (
        (["numpy", "--tier", "T9"], "there is no tier 'T9'"),
        (["numpy", "--ops", "addd"], "names of ops, such as add"),
        (["nummpy"], "did you mean 'numpy'?"),
        (["numpy", "--device", "gpu", "--tier", "T2", "--ops", "add"], "numpy has no device 'gpu'"),
    ):
        assert main(["conformance", *words]) == 1
        assert text in capsys.readouterr().err


def test_a_run_stops_at_the_first_failure_if_asked() -> None:
    kernels = [pt.Kernel(op, lambda x: x * 2) for op in ("exp", "tanh", "sqrt")]
    with pt.register_backend(pt.Backend(name="wrong", extends="numpy", kernels=kernels)):
        for stop, count in ((True, 1), (False, 3)):
            report = conformance(
                "wrong", tiers=["T2"], ops=["exp", "tanh", "sqrt"], stop_at_first=stop, with_coverage=False
            )
            assert len(report.failures()) == min(count, len(report.outcomes))


def test_a_badge_is_svg_or_a_shields_endpoint() -> None:
    report = conformance("numpy", tiers=["T2"], ops=["add"], with_coverage=False)
    endpoint = json.loads(badge(report, svg=False))
    assert endpoint["schemaVersion"] == 1 and endpoint["message"] == "1 of 8 tiers" and endpoint["color"] == "yellow"
    from xml.etree import ElementTree

    assert ElementTree.fromstring(badge(report, svg=True)).tag.endswith("svg")


def test_every_check_is_in_one_tier_and_in_the_suite() -> None:
    checks = [check for tier in TIERS for check in tier.checks]
    names = [check.name for check in checks if check.name != "check_common_dtypes"]
    assert len(names) == len(set(names))
    assert {check.__name__ for check in (*CHECKS, *TRANSFERS, *STATES, *GRAPHS, *FAULTS)} <= set(names)
    source = Path(str(suite.__file__)).read_text(encoding="utf-8")
    for name in names:
        in_group = any(name in {fn.__name__ for fn in group} for group in (TRANSFERS, STATES, GRAPHS, FAULTS))
        whole = find_check(name).applies is None
        assert name in source or whole or in_group, name


def _counting(*values: Any) -> Callable[..., Any]:
    """A function that returns these values in turn, and then the last one."""
    left = list(values)
    return lambda *arguments: left.pop(0) if len(left) > 1 else left[0]


_NUMBERS = itertools.count(1)
_BUFFER = np.zeros(3, "float32")


def _one_buffer(x1: Any, x2: Any) -> Any:
    if not x1.shape == x2.shape == (3,):
        return np.multiply(x1, x2)
    np.multiply(x1, x2, out=_BUFFER)
    time.sleep(1e-4)  # other threads run now
    return _BUFFER


def _writes(x1: Any, x2: Any) -> Any:
    return np.add(x1, x2, out=x1) if x1.shape == x2.shape and x1.flags.writeable else np.add(x1, x2)


def _other_bits(state: Any, *, shape: Any, dtype: Any, device: Any) -> Any:
    return np.full(shape, 0.5 + 1e-3 * (device.backend == "faulty"), dtype)


def _kernel(op: str, fn: Callable[..., Any]) -> dict[str, Any]:
    return {"kernels": [pt.Kernel(op, fn)]}


STREAMS = {
    "create": lambda device: object(), "use": lambda device, stream: None, "synchronize": lambda stream: None,
    "record": lambda device, stream: object(), "wait": lambda device, stream, event: None,
    "done": lambda event: False, "finish": lambda event: None,
}  # fmt: skip
MEMORY = [pt.MemoryInfo(n, n, 100) for n in (10, 20, 30)]
DEFECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "another number of devices each time": ("check_devices_listed", {"devices": lambda: [("cpu", next(_NUMBERS))]}),
    "a probe that fails later": ("check_probe", {"probe": _counting(pt.Probe(), pt.Probe(False, "no", "no"))}),
    "lift loses the shape": ("check_arrays", {"lift": lambda x: np.asarray(x).ravel()}),
    "a peak below what is in use": ("check_memory_info", {"memory_info": lambda device: pt.MemoryInfo(9, 3, 5)}),
    "memory that only grows": ("check_memory_comes_back", {"memory_info": _counting(*MEMORY)}),
    "a kernel in another family": (
        "check_late_kernels",
        {"late_kernels": {"nn.losses": lambda: [pt.Kernel("exp", np.exp)]}},
    ),
    "an operand overwritten": ("check_variables", _kernel("add", _writes)),
    "other bits": ("check_random_state", _kernel("random_uniform", _other_bits)),
    "another update": ("check_optimizers", _kernel("sgd_update", lambda x, gradient, learning_rate: x - gradient)),
    "an event that never ends": ("check_streams", {"streams": Streams(**STREAMS)}),
    "bad shapes on a stream accepted": (
        "check_a_failed_call_on_a_stream",
        _kernel("add", lambda x1, x2: np.add(x1[:2], x2[:2])),
    ),
    "bad shapes accepted": ("check_a_fault_passes", _kernel("add", lambda x1, x2: np.add(x1[:2], x2[:2]))),
    "one buffer for all threads": ("check_threads", _kernel("multiply", _one_buffer)),
    "zeros on the way to the host": ("check_checkpoints", {"to_host": np.zeros_like}),
}


@pytest.mark.parametrize(("check", "members"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_of_the_whole_backend_is_detected(check: str, members: Any, switching: None) -> None:
    with pt.register_backend(pt.Backend(name="faulty", extends="numpy", **members)):
        with pytest.raises(Exception) as caught:
            find_check(check).fn("faulty")
        assert not isinstance(caught.value, Inapplicable)


def test_a_stream_that_does_not_wait_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = pytest.importorskip("polytape_sim.stream")
    find_check("check_streams").fn("sim")
    monkeypatch.setattr(stream.Stream, "wait", lambda self, event: None)
    with pytest.raises(Exception, match="stream") as caught:
        find_check("check_streams").fn("sim")
    assert not isinstance(caught.value, Inapplicable)


def test_a_program_of_the_whole_backend_is_one_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pt.register_backend(pt.Backend(name="faulty", extends="numpy", copy=lambda array, device: array)):
        report = conformance("faulty", tiers=["T1"], with_coverage=False)
        (failure,) = report.failures()
        assert failure.check == "check_copies_are_independent"
        path = tmp_path / "program.py"
        path.write_text(failure.program, encoding="utf-8")
        with pytest.raises(AssertionError, match="copy to faulty:cpu:0"):
            runpy.run_path(str(path))
