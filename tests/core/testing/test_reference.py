"""POLYTAPE_CHECK=<backend>: the first result that disagrees with a reference is an error with a program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]

# Backends with a defect each, and what a call gives: its value, or the error.
MODULE = """
import threading
import numpy as np, polytape as pt

def large(x):
    return np.where(abs(x) > 3, np.exp(x) * np.float32(1.001), np.exp(x)).astype(x.dtype)

def signs(x, *, full_matrices=True):
    u, s, vh = np.linalg.svd(x, full_matrices)
    return -u, s, -vh

def swapped(x, *, full_matrices=True):
    u, s, vh = np.linalg.svd(x, full_matrices)
    return -u, s, vh

def writes(x1, x2):
    return np.add(x1, x2, out=x1) if x1.shape == x2.shape and x1.flags.writeable else np.add(x1, x2)

def backwards(x, *, axis=None, dtype=None, keepdims=False):
    return np.sum(np.flip(x), axis=axis, dtype=dtype, keepdims=keepdims)

def too_large(x, *, axis=None, dtype=None, keepdims=False):
    return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims) * np.float32(1.001)

def accepts(x):
    return np.linalg.inv(x) if np.linalg.det(x) else np.full_like(x, np.inf)

def bits(state, *, shape, dtype, device):
    return np.full(shape, 0.5, dtype)

def backend(name, **fns):
    pt.register_backend(pt.Backend(name=name, extends="numpy", kernels=[pt.Kernel(op, fn) for op, fn in fns.items()]))

backend("wrong", exp=large, svd=swapped, inv=accepts, random_uniform=bits)
backend("also", add=writes, sum=too_large)
backend("right", svd=signs, sum=backwards, exp=lambda x: np.exp(x) * (1 + np.finfo(x.dtype).eps))

def attempt(name, call):
    with pt.device(name):
        try:
            return call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

if __name__ == "__main__":
    import sys
    for name, code in zip(sys.argv[1::2], sys.argv[2::2]):
        print(attempt(name, eval("lambda: " + code)), end="\\n=====\\n")
"""

CALLS = {
    "a value": ("wrong", "pt.exp(pt.asarray([1.0, 2.0, 4.0]))"),
    "a value in a graph": ("wrong", "pt.function(lambda x: 2.0 + pt.exp(x))(pt.asarray([0.0, 4.0]))"),
    "a value in a gradient": (
        "wrong",
        "pt.gradients_function(pt.custom_gradient(lambda x: (x * 1.0, lambda g: g * pt.exp(x))))(pt.asarray([4.0]))",
    ),
    "a value in a body": ("wrong", "pt.nn.sigmoid_cross_entropy_with_logits(pt.asarray([1.0]), pt.asarray([5.0]))"),
    "factors": ("wrong", "pt.linalg.svd(pt.asarray([[1.0, 2.0], [3.0, 4.0]]))"),
    "an error": ("wrong", "pt.linalg.inv(pt.asarray([[1.0, 2.0], [2.0, 4.0]]))"),
    "a draw": ("wrong", "pt.random.uniform((3,))"),
    "an operand": ("also", "pt.asarray([1.0, 2.0]) + pt.asarray([3.0, 4.0])"),
    "an update": ("also", "pt.Variable([1.0, 2.0]).assign_add(pt.asarray([1.0, 1.0]))"),
    "a sum": ("also", "pt.sum(pt.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1)"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """What each call gives under the setting, and the folder of the module."""
    folder = tmp_path_factory.mktemp("check")
    (folder / "checked.py").write_text(MODULE, encoding="utf-8")
    words = [word for pair in CALLS.values() for word in pair]
    command = [sys.executable, "checked.py", *words]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=_environment(folder))
    assert result.returncode == 0, result.stderr
    return folder, dict(zip(CALLS, result.stdout.split("\n=====\n"), strict=False))


def _environment(folder: Path, check: str = "numpy") -> dict[str, str]:
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "POLYTAPE_CHECK": check, "TMPDIR": str(folder), "PYTHONPATH": path}


WORDS = {
    "a value": ["exp on wrong:cpu:0 disagrees with numpy.", "at [2]", "ulp away, 1 of 3 elements differ"],
    "a value in a graph": ["exp on wrong:cpu:0 disagrees with numpy.", "at [1]", "1 of 2 elements differ"],
    "a value in a gradient": ["exp on wrong:cpu:0 disagrees with numpy."],
    "factors": ["svd on wrong:cpu:0 disagrees with numpy.", "ulp away"],
    "a value in a body": ["exp on wrong:cpu:0 disagrees with numpy."],
    "an error": ["inv on wrong:cpu:0 accepts what numpy rejects.", "expected: LinAlgError: "],
    "a draw": ["random_uniform on wrong:cpu:0 disagrees with numpy.", "ulp away, 3 of 3 elements differ"],
    "an operand": ["add on also:cpu:0 changed its operand x1."],
    "an update": ["add on also:cpu:0 changed its operand x1."],
    "a sum": ["sum on also:cpu:0 disagrees with numpy.", "expected: np.float32(3.0) at [0]"],
}


@pytest.mark.parametrize("name", WORDS)
def test_the_first_disagreement_is_an_error_that_names_the_op(told: tuple[Path, dict[str, str]], name: str) -> None:
    text = told[1][name]
    assert text.startswith("BackendError: ") and all(word in text for word in WORDS[name]), text


RUNNER = """
import json, sys
for program in json.load(open("programs.json")):
    try:
        exec(compile(program, "program", "exec"), {"__name__": "__main__"})
        print("nothing")
    except Exception as error:
        print(type(error).__name__)
"""


def test_the_programs_reproduce_the_disagreements_from_the_saved_operands(told: tuple[Path, dict[str, str]]) -> None:
    folder, texts = told
    programs = [texts[name].split("\n\n", 1)[1] for name in WORDS]
    assert all(str(folder) in program and "# Register the backend" in program for program in programs)
    faulty = [program.replace("# Register the backend", "import checked  #") for program in programs]
    right = [re.sub("'(wrong|also):cpu:0'", "'numpy:cpu:0'", program) for program in faulty]
    (folder / "programs.json").write_text(json.dumps([*faulty, *right]), encoding="utf-8")
    command = [sys.executable, "-c", RUNNER]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=_environment(folder, ""))
    outcomes = result.stdout.split()
    assert outcomes[: len(faulty)] == ["AssertionError"] * len(faulty), result.stderr + "\n\n".join(faulty)
    # On numpy all of them are right, and what should be rejected is.
    assert outcomes[len(faulty) :] == ["LinAlgError" if name == "an error" else "nothing" for name in WORDS]


def test_results_that_any_right_backend_may_give_are_accepted(child: Child, tmp_path: Path) -> None:
    (tmp_path / "checked.py").write_text(MODULE, encoding="utf-8")
    code = """
import numpy as np, polytape as pt, checked
with pt.device("right"):
    pt.random.seed(0)
    x = pt.random.uniform((100000,)) - 0.5
    assert pt.sum(x).item() != np.sum(x.numpy()), "the order of the sum changes nothing"
    pt.exp(x), pt.linalg.svd(pt.reshape(x[:6], (2, 3)))
    u, s, vh = pt.linalg.svd(pt.asarray([[2.0, 0.0], [0.0, 2.0]]))
    v = pt.Variable([1.0, 2.0])
    for optimizer in (pt.optim.SGD(0.5), pt.optim.Adam(0.5)):
        optimizer.apply_gradients([(pt.ones((2,)), v)])
    print([round(value, 3) for value in v.tolist()])
"""
    assert child(code, tmp_path, POLYTAPE_CHECK="numpy").stdout == "[0.0, 1.0]\n"


def test_on_the_reference_itself_a_kernel_is_compared_with_the_body(child: Child) -> None:
    code = """
import numpy as np, polytape as pt
@pt.kernel("softmax", backend="numpy", priority=10)
def softmax(x, *, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)
print(pt.nn.softmax(pt.asarray([1.0, 2.0])).shape)
try:
    pt.nn.softmax(pt.asarray([1000.0, 2.0]))
except pt.errors.BackendError as error:
    print(str(error).splitlines()[0])
"""
    lines = child(code.replace("np.exp(x)", "np.exp(x, where=x < 999, out=x * 0)"), POLYTAPE_CHECK="numpy").stdout
    assert lines.splitlines() == ["(2,)", "softmax on numpy:cpu:0 disagrees with its body on numpy."]


def test_every_thread_is_checked(child: Child, tmp_path: Path) -> None:
    (tmp_path / "checked.py").write_text(MODULE, encoding="utf-8")
    code = """
import threading, polytape as pt, checked
outcomes = []
def work(value):
    with pt.device("wrong"):
        x = pt.asarray([value])
        outcomes.append(type(checked.attempt("wrong", lambda: pt.exp(x))).__name__)
threads = [threading.Thread(target=work, args=(value,)) for value in (1.0, 4.0, 2.0, 5.0)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(sorted(outcomes))
"""
    assert child(code, tmp_path, POLYTAPE_CHECK="numpy").stdout == "['Tensor', 'Tensor', 'str', 'str']\n"


def test_a_backend_that_does_not_exist_is_named(child: Child) -> None:
    assert (
        "did you mean 'numpy'?"
        in child("import polytape as pt; pt.ones((1,))", POLYTAPE_CHECK="nummpy", status=1).stderr
    )
    error = child("import polytape", POLYTAPE_CHECK="num py", status=1).stderr
    assert "POLYTAPE_CHECK='num py' is not understood" in error and "such as numpy" in error
