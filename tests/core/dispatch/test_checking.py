"""POLYTAPE_CHECK=results: results of kernels are compared with what the op's rules give."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]

PROGRAM = """
import numpy as np, polytape as pt
kernels = {kernels}
with pt.register_backend(pt.Backend(name="odd", extends="numpy", kernels=kernels)), pt.device("odd"):
    x = pt.asarray([4.0, 9.0])
    try:
        print({call})
    except Exception as error:
        print(type(error).__name__, error, *getattr(error, "__notes__", ()))
"""


@pytest.mark.parametrize(
    ("kernel", "call", "words"),
    [
        ("pt.Kernel('exp', lambda x: None)", "pt.exp(x)", ["BackendError exp: Kernel('exp'", "None of type NoneType"]),
        ("pt.Kernel('sqrt', lambda x: np.sqrt(x).astype('f8'))", "pt.sqrt(x)", ["float32[2]", "got: float64[2]"]),
        ("pt.Kernel('multiply', lambda x, y: (x * y)[None])", "x * x", ["got: float32[1, 2]", "from in-process"]),
        ("pt.Kernel('tanh', lambda x: 1 / 0)", "pt.tanh(x)", ["ZeroDivisionError", "raised by Kernel('tanh'"]),
        ("pt.Kernel('add', lambda x, y: np.add(x, y))", "x + pt.ones((3,))", ["ShapeError add([2], [3])"]),
        ("pt.Kernel('add', np.add)", "(x + x).tolist(), pt.sum(x).item()", ["[8.0, 18.0] 13.0"]),
        ("pt.Kernel('add', np.add)", "pt.function(lambda x: x + x)(x).tolist()", ["[8.0, 18.0]"]),
    ],
)
def test_a_wrong_result_is_an_error_that_names_op_kernel_and_distribution(
    child: Child, kernel: str, call: str, words: list[str]
) -> None:
    output = child(PROGRAM.format(kernels=f"[{kernel}]", call=call), POLYTAPE_CHECK="results").stdout
    assert all(word in output for word in words), output


def test_an_optimizer_step_passes_the_check(child: Child) -> None:
    code = """
import polytape as pt
w = pt.Variable([1.0, 2.0])
for optimizer in (pt.optim.SGD(0.5), pt.optim.Adam(0.5)):
    for _ in range(2):
        optimizer.apply_gradients([(pt.ones((2,)), w)])
print([round(x, 3) for x in w.tolist()])
"""
    assert child(code, POLYTAPE_CHECK="results").stdout == child(code).stdout == "[-1.0, 0.0]\n"
