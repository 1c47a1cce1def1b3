"""Families: an op's module is found without importing the others, and its kernels load only when it is used."""

from __future__ import annotations

import importlib
import os
import runpy
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError
from polytape.ops import families
from polytape.ops.table import FAMILIES
from polytape.registry import tables

Child = Callable[..., "subprocess.CompletedProcess[str]"]
CHECKOUT = Path(__file__).parents[3]
ROOT = Path(families.__file__).parent
LOADED = """
import sys
def loaded():
    return sorted(name.partition("polytape.ops.")[2] for name in sys.modules if name.startswith("polytape.ops."))
"""


def modules_with_ops() -> list[str]:
    """The modules whose sources declare ops."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "\n@op(" in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]


def test_the_table_is_what_the_tool_writes() -> None:
    tool: dict[str, Any] = runpy.run_path(str(CHECKOUT / "tools" / "write_op_table.py"))
    text = (ROOT / "table.py").read_text(encoding="utf-8")
    assert text == tool["rendered"](), "run python tools/write_op_table.py"


def test_every_module_with_ops_is_a_family_and_none_loads_at_import(child: Child) -> None:
    assert set(FAMILIES) >= set(modules_with_ops())
    output = child(f"{LOADED}\nimport polytape\nprint(*loaded())").stdout
    assert not set(output.split()) & set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_index_equals_the_declarations_of_the_family(family: str) -> None:
    module = families.load(family)
    index = families._Index()
    declared = {name for name, op in tables.ops().items() if op.module == module.__name__}
    assert {name for name, owner in index.ops.items() if owner == family} == declared
    assert {name for (_, name), owner in index.public.items() if owner == family} == set(module.__all__)


def test_no_public_name_is_in_two_families() -> None:
    names = [
        name for family in modules_with_ops() for name in importlib.import_module(f"polytape.ops.{family}").__all__
    ]
    assert len(names) == len(set(names))


def test_a_name_loads_only_its_own_family(child: Child) -> None:
    output = child(f"{LOADED}\nimport polytape as pt\npt.tanh\nprint(*loaded())").stdout
    found = set(output.split()) & set(FAMILIES)
    # And the families that its body uses.
    assert found == {"trigonometric", "arithmetic", "complex_parts", "exponential", "logic"}


def test_looking_up_an_unknown_name_loads_no_family(child: Child) -> None:
    code = f"""{LOADED}
import polytape as pt
for namespace in (pt, pt.nn):
    try:
        namespace.tangens
    except AttributeError as error:
        print(error)
print("tanh" in dir(pt), "softmax" in dir(pt.nn), "tanh" in pt.__all__, set(loaded()) & {set(FAMILIES)!r})
"""
    assert child(code).stdout.splitlines() == [
        "module 'polytape' has no attribute 'tangens'",
        "module 'polytape.nn' has no attribute 'tangens'",
        "True True True set()",
    ]


def test_a_star_import_imports_every_name(child: Child) -> None:
    code = "from polytape import *\nprint(tanh([0.0]).tolist(), nn.relu([-1.0]).tolist(), Variable.__name__, bool)"
    assert child(code).stdout.split() == ["[0.0]", "[0.0]", "Variable", "bool"]


def test_the_first_tensor_loads_the_bound_families_and_no_kernels(child: Child) -> None:
    code = f"""{LOADED}
import polytape as pt
def kernels():
    return sorted(n.partition(".kernels.")[2] for n in sys.modules if n.startswith("polytape_numpy.kernels."))
families = {set(FAMILIES)!r}
x = pt.asarray([1.0])
print(sorted(families & set(loaded())), kernels())
x + x
print(kernels())
pt.nn.softmax(x)
print(sorted(families & set(loaded()) - {set(families.BOUND)!r}), kernels())
"""
    assert child(code).stdout.splitlines() == [
        f"{sorted(families.BOUND)} []",
        "['arithmetic', 'clipping', 'ufuncs']",
        "['exponential', 'nn.activations'] "
        "['arithmetic', 'clipping', 'constants', 'extremes', 'logic', 'nn', 'nn.activations', 'nn.masking', "
        "'nn.relu_gradients', 'quiet', 'rows', 'summing', 'ufuncs']",
    ]


def backend(name: str, load: Callable[[], Any]) -> pt.Backend:
    """A backend whose kernels for the family of tanh load late."""
    return pt.Backend(name=name, extends="numpy", late_kernels={"trigonometric": load})


def test_late_kernels_load_once_when_an_op_of_their_family_is_resolved() -> None:
    calls = []

    def load() -> list[pt.Kernel]:
        calls.append(1)
        return [pt.Kernel("tanh", lambda x: np.zeros_like(x), priority=1)]

    with pt.register_backend(backend("lazy", load)), pt.device("lazy"):
        x = pt.asarray([1.0])
        assert (x + 1.0).tolist() == [2.0] and not calls
        version = tables.version()
        assert pt.tanh(x).tolist() == [0.0] and pt.tanh(pt.asarray(1.0)).item() == 0.0
        assert calls == [1] and tables.version() == version  # earlier resolutions stay valid
        assert tables.kernels_of("lazy", "tanh")[0].provider == "in-process"
    assert not any(key[0] == "lazy" for key in tables._registry.late)


def test_an_invalid_late_kernel_raises_an_error_in_the_call_that_loads_it() -> None:
    with pt.register_backend(backend("lazy", lambda: [pt.Kernel("tanh", np.tanh, writes=("y",))])), pt.device("lazy"):
        x = pt.asarray([1.0])
        for _ in range(2):
            with pytest.raises(RegistrationError, match="tanh"):
                pt.tanh(x)


def test_threads_load_late_kernels_once() -> None:
    calls = []
    start = threading.Barrier(4)

    def load() -> list[pt.Kernel]:
        calls.append(1)
        return [pt.Kernel("tanh", np.tanh)]

    def use() -> None:
        start.wait()
        pt.tanh(pt.asarray([1.0], device="lazy"))

    with pt.register_backend(backend("lazy", load)):
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calls == [1]


def test_a_function_is_traced_once_even_if_tracing_loads_kernels(child: Child) -> None:
    code = """
import polytape as pt
runs = []
@pt.function
def f(x):
    runs.append(1)
    return pt.nn.softmax(x)
x = pt.asarray([1.0, 2.0])
for _ in range(3):
    f(x)
print(len(runs))
"""
    assert child(code).stdout.strip() == "1"


@pytest.mark.parametrize("name", ["numpy", "numba", "cupy"])
def test_the_late_kernels_of_a_backend_belong_to_their_families(name: str) -> None:
    plugin: Any = importlib.import_module(f"polytape_{name}.kernels")
    late = {"numpy": lambda: plugin.late(np), "numba": lambda: plugin.late(), "cupy": dict}[name]()
    assert set(late) <= set(FAMILIES)
    for family, load in late.items():
        modules = {pt.registry.tables.get_op(kernel.op).module for kernel in load()}
        assert modules <= {f"polytape.ops.{family}"}  # none where NumPy's own loop is the fastest on this processor


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_a_thread_loads_a_family_can_load_it_too(child: Child) -> None:
    code = """
import os, sys, threading, time
import polytape as pt
x = pt.asarray([0.0])
started = threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "polytape.ops.exponential":
            started.set()
            time.sleep(0.5)
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: pt.exp(x))
thread.start()
started.wait()
process = os.fork()
if process == 0:
    os._exit(0 if pt.exp(x).tolist() == [1.0] else 1)
print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
thread.join()
"""
    assert child(["-W", "ignore::DeprecationWarning", "-c", code]).stdout == "0\n"
