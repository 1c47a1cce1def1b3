"""Which backend new tensors go to, and who chose it; in child processes, since most of it is read once."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]

START = """
import logging, sys, polytape as pt
from polytape.placement.selection import default_device, resolve_device
def attempt(call, *args):
    try:
        print(call(*args))
    except pt.errors.PolytapeError as error:
        print(type(error).__name__, error)
"""
LOG = "logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(name)s: %(message)s')\n"
DEVICES = """
import numpy as np
def make(name, devices, **more):
    return pt.register_backend(pt.Backend(
        name=name, devices=lambda: devices, array_type=np.ndarray, from_host=lambda a, d: a.copy(),
        to_host=lambda a: a, copy=lambda a, d: a.copy(), empty=lambda s, t, d: np.empty(s, t),
        synchronize=lambda d: None, lift=np.asarray, dtypes=["float32"], **more))
"""


def lines(done: CompletedProcess[str]) -> list[str]:
    return done.stdout.splitlines()


def test_without_any_choice_it_is_numpy(child: Child) -> None:
    found = lines(child(START + "print(pt.current_backend()); print(default_device(), resolve_device(None))"))
    assert found[0].startswith("<backend numpy ") and found[0].endswith(", device numpy:cpu:0, chosen by default>")
    assert found[1] == "numpy:cpu:0 numpy:cpu:0"


def test_the_variable_names_a_backend_and_is_read_at_first_use(child: Child) -> None:
    code = START + "import os; os.environ['POLYTAPE_BACKEND'] = 'good:cpu:0'\nb = pt.current_backend()\n"
    code += "print(b.name, b.version, b.library.split()[0], b.device, b.chosen_by)"
    assert lines(child(code, "good")) == ["good 1.2.3 numpy good:cpu:0 POLYTAPE_BACKEND"]


@pytest.mark.parametrize("text", ["Good", " good ", "good:cpu", "good:0", "nothing,good", "cupy:gpu:7,good,numpy"])
def test_names_lists_and_devices_are_understood(child: Child, text: str) -> None:
    assert lines(child(START + "print(default_device())", "good", POLYTAPE_BACKEND=text)) == ["good:cpu:0"]


@pytest.mark.parametrize("text", [",", "good,", "auto,good", "good:auto", "a:b:c", "/device:CPU:0", "good??", "1"])
def test_a_value_that_follows_no_grammar_is_refused_at_import(child: Child, text: str) -> None:
    done = child("import polytape", status=1, POLYTAPE_BACKEND=text)
    assert f"SettingError: POLYTAPE_BACKEND={text!r} is not understood." in done.stderr
    assert "expected: 'auto', or a comma list of backend[:kind][:index]" in done.stderr


def test_a_setting_of_plugins_is_checked_at_import_too(child: Child) -> None:
    done = child("import polytape", status=1, POLYTAPE_PLUGINS="a//b")
    assert "SettingError: POLYTAPE_PLUGINS='a//b' is not understood." in done.stderr


def test_a_single_name_is_strict(child: Child) -> None:
    code = START + "attempt(default_device); attempt(pt.current_backend)"
    found = lines(child(code, "broken", POLYTAPE_BACKEND="broken"))
    assert found[0].startswith("BackendError POLYTAPE_BACKEND='broken': backend 'broken' cannot be used: ValueError:")
    assert found.count(found[0]) == 2


def test_an_optional_name_gives_way_to_numpy(child: Child) -> None:
    for text in ("broken?", "broken?, nothing?"):
        found = lines(child(START + LOG + "attempt(default_device)", "broken", POLYTAPE_BACKEND=text))
        assert found[-1] == "numpy:cpu:0"
        assert found[0].startswith(f"polytape: POLYTAPE_BACKEND={text!r}: backend 'broken' cannot be used: ")


def test_a_list_of_which_nothing_is_usable_tells_each_reason(child: Child) -> None:
    (first, *rest) = lines(child(START + "attempt(default_device)", "broken", POLYTAPE_BACKEND="broken,nunpy"))
    assert first == "BackendError POLYTAPE_BACKEND='broken,nunpy': none of these can be used."
    assert "table is damaged" in "".join(rest) and "did you mean 'numpy'?" in "".join(rest)


def test_a_failed_choice_is_read_again(child: Child) -> None:
    code = (
        START + "import os\nattempt(default_device)\nos.environ['POLYTAPE_BACKEND'] = 'good'\nattempt(default_device)"
    )
    assert lines(child(code, "good", POLYTAPE_BACKEND="nothing"))[-1] == "good:cpu:0"


def test_auto_takes_the_highest_rank_and_says_whom_it_left(child: Child) -> None:
    code = START + LOG + "print(pt.current_backend().chosen_by, default_device())"
    found = lines(child(code, "good", "broken", POLYTAPE_BACKEND="auto"))
    assert found[-1] == "POLYTAPE_BACKEND good:cpu:0"
    (said,) = [line for line in found if line.startswith("polytape: auto")]
    assert said.startswith("polytape: auto takes 'good' (rank 1000); not taken: ")
    assert "numpy (rank 0)" in said and "broken (import-failed: ValueError: the driver's table is damaged" in said


def test_auto_never_takes_what_hides_from_it_and_keeps_what_it_took(child: Child) -> None:
    code = START + DEVICES
    code += """
hidden = make("hidden", [("cpu", 1)], rank=10**6, automatic=False)
print(default_device())
late = make("late", [("cpu", 1)], rank=10**5)
print(default_device())
"""
    assert lines(child(code, "good", POLYTAPE_BACKEND="auto")) == ["good:cpu:0", "good:cpu:0"]


def test_scope_beats_call_beats_variable(child: Child) -> None:
    code = (
        START
        + """
def show(): print(pt.current_backend().device, pt.current_backend().chosen_by, default_device())
show()
pt.set_backend("numpy")
show()
with pt.device("good") as place:
    show()
    with pt.device("numpy:cpu"):
        show()
    show()
show()
print(pt.current_backend("good:cpu:0").chosen_by, place)
pt.set_backend(None)
show()
"""
    )
    assert lines(child(code, "good", POLYTAPE_BACKEND="good")) == [
        "good:cpu:0 POLYTAPE_BACKEND good:cpu:0",
        "numpy:cpu:0 set_backend numpy:cpu:0",
        "good:cpu:0 scope good:cpu:0",
        "numpy:cpu:0 scope numpy:cpu:0",
        "good:cpu:0 scope good:cpu:0",
        "numpy:cpu:0 set_backend numpy:cpu:0",
        "argument good:cpu:0",
        "good:cpu:0 POLYTAPE_BACKEND good:cpu:0",
    ]


def test_a_choice_that_cannot_be_had_changes_nothing(child: Child) -> None:
    code = START + "attempt(pt.set_backend, 'broken')\nattempt(pt.set_backend, 'a b')\nprint(default_device())\n"
    code += "attempt(pt.set_backend, 'broken,good')\nprint(default_device())"
    found = lines(child(code, "broken", "good"))
    assert found[0].startswith("BackendError set_backend='broken': backend 'broken' cannot be used")
    assert any(line.startswith("SettingError set_backend='a b' is not understood") for line in found)
    assert "numpy:cpu:0" in found and found[-1] == "good:cpu:0"


def test_a_bare_kind_keeps_the_current_backend_else_means_the_first_ready_one_told_once(child: Child) -> None:
    code = START + DEVICES + LOG
    code += """
make("small", [("npu", 1)], rank=1); make("big", [("npu", 2), ("cpu", 1)], rank=2)
make("hidden", [("npu", 1)], rank=3, automatic=False)
print(resolve_device("cpu"), resolve_device("NPU:1"), resolve_device("/device:NPU:0"))
with pt.device("small"):
    print(resolve_device("npu"))
pt.set_backend("npu")
print(default_device())
"""
    assert lines(child(code)) == [
        "polytape: devices of kind 'npu' are those of backend 'big'; 'numpy' has none",
        "numpy:cpu:0 big:npu:1 big:npu:0",
        "small:npu:0",
        "big:npu:0",
    ]


def test_a_device_that_is_not_there_is_answered_by_those_that_are(child: Child) -> None:
    code = START + "for name in ('numpy:cpu:3', 'cpu:1', 'numpy:gpu', 'cpuu', 'qqq', 'a b', 'good:cpu:0'):\n"
    code += "    attempt(resolve_device, name)\n    print()"
    blocks = child(code, "broken").stdout.split("\n\n")
    assert blocks[0].startswith("DeviceError backend 'numpy' has no device 'numpy:cpu:3'.\n  expected: one of numpy:")
    assert blocks[1].startswith("DeviceError backend 'numpy' has no device 'cpu:1'.")
    assert blocks[2].startswith("DeviceError backend 'numpy' has no device 'numpy:gpu'.")
    assert "neither a backend nor a kind" in blocks[3] and "did you mean 'cpu'?" in blocks[3]
    assert "broken is import-failed: ValueError" in blocks[4]
    assert blocks[5].startswith("DeviceError 'a b' is no device name.")
    assert blocks[6].startswith("BackendError no backend 'good'; known: numpy (ready)")


def test_an_exit_removes_only_its_own_scope(child: Child) -> None:
    code = (
        START
        + """
one, two = pt.device("good"), pt.device("numpy")
one.__enter__(); two.__enter__()
one.__exit__(None, None, None); print(default_device())
two.__exit__(None, None, None); print(pt.current_backend().chosen_by)
with one:
    with two, one:
        print(default_device())
    print(default_device())
print(pt.current_backend().chosen_by, one)
try:
    with two:
        raise KeyError
except KeyError:
    print(pt.current_backend().chosen_by)
"""
    )
    assert lines(child(code, "good")) == [
        "numpy:cpu:0", "default", "good:cpu:0", "good:cpu:0", "default device('good')", "default",
    ]  # fmt: skip


def test_scopes_of_threads_and_tasks_are_their_own(child: Child) -> None:
    code = (
        START
        + """
import asyncio, threading
found = []
with pt.device("good"):
    thread = threading.Thread(target=lambda: found.append(str(default_device())))
    thread.start(); thread.join()
async def one(name, wait):
    with pt.device(name):
        await asyncio.sleep(wait)
        found.append(str(default_device()))
async def both():
    await asyncio.gather(one("good", 0.02), one("numpy", 0.01))
asyncio.run(both())
print(found)
"""
    )
    assert lines(child(code, "good")) == ["['numpy:cpu:0', 'numpy:cpu:0', 'good:cpu:0']"]


def test_a_change_of_the_variable_after_it_was_read_is_warned_about_once(child: Child) -> None:
    code = (
        START
        + """
import os, warnings
def caught(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [(w.category.__name__, str(w.message), os.path.basename(w.filename)) for w in found]
os.environ["POLYTAPE_BACKEND"] = "numpy"
print(caught(default_device), caught(pt.current_backend))
os.environ["POLYTAPE_BACKEND"] = "good"
print(caught(default_device))
print(caught(pt.current_backend))
print(caught(pt.current_backend))
del os.environ["POLYTAPE_BACKEND"]
print(caught(lambda: pt.set_backend("good")))
os.environ["POLYTAPE_BACKEND"] = "good,numpy"
def scope():
    with pt.device("cpu"): pass
print(caught(scope))
print(pt.current_backend().chosen_by)
"""
    )
    found = lines(child(code, "good"))
    assert found[0] == "[] []" and found[1] == "[]" and found[3] == "[]"
    assert found[2] == str([(
        "PolytapeWarning",
        "POLYTAPE_BACKEND changed from 'numpy' to 'good' after it was read, which has no effect; "
        "call polytape.set_backend('good')",
        "<string>",
    )])  # fmt: skip
    assert "changed from 'numpy' to ''" in found[4] and "set_backend('numpy')" in found[4]
    assert "set_backend('good,numpy')" in found[5]
    assert found[6] == "set_backend"


def test_a_default_whose_backend_was_removed_is_chosen_anew(child: Child) -> None:
    code = START + DEVICES
    code += """
with make("short", [("cpu", 1)]):
    with pt.device("short"):
        print(default_device())
    pt.set_backend("short")
    print(default_device())
attempt(default_device)
pt.set_backend(None)
print(default_device())
"""
    found = lines(child(code))
    assert found[:2] == ["short:cpu:0", "short:cpu:0"]
    assert found[2].startswith("BackendError no backend 'short'") and found[-1] == "numpy:cpu:0"


def test_importing_loads_none_of_what_only_some_paths_need(child: Child) -> None:
    code = "import sys, numpy; before = set(sys.modules); import polytape; new = set(sys.modules) - before\n"
    code += "print(sorted(new & {'logging', 'pluggy', 'importlib.metadata', 'difflib', 'threading', 'argparse'}))"
    assert lines(child(code, "good", POLYTAPE_BACKEND="nothing")) == ["[]"]
