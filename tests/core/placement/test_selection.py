"""The backend of new tensors and what selected it; in child processes, since most settings are read only once."""

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


def lines(result: CompletedProcess[str]) -> list[str]:
    return result.stdout.splitlines()


def test_the_default_is_numpy(child: Child) -> None:
    output = lines(child(START + "print(pt.current_backend()); print(default_device(), resolve_device(None))"))
    assert output[0].startswith("<backend numpy ") and output[0].endswith(", device numpy:cpu:0, chosen by default>")
    assert output[1] == "numpy:cpu:0 numpy:cpu:0"


def test_the_environment_variable_names_a_backend_and_is_read_at_first_use(child: Child) -> None:
    code = START + "import os; os.environ['POLYTAPE_BACKEND'] = 'good:cpu:0'\nb = pt.current_backend()\n"
    code += "print(b.name, b.version, b.library.split()[0], b.device, b.chosen_by)"
    assert lines(child(code, "good")) == ["good 1.2.3 numpy good:cpu:0 POLYTAPE_BACKEND"]


@pytest.mark.parametrize("text", ["Good", " good ", "good:cpu", "good:0", "nothing?,good", "cupy:gpu:7?,good,numpy"])
def test_names_lists_and_devices_are_accepted(child: Child, text: str) -> None:
    assert lines(child(START + "print(default_device())", "good", POLYTAPE_BACKEND=text)) == ["good:cpu:0"]


@pytest.mark.parametrize("text", [",", "good,", "auto,good", "good:auto", "a:b:c", "/device:CPU:0", "good??", "1"])
def test_an_invalid_value_is_rejected_at_import(child: Child, text: str) -> None:
    result = child("import polytape", status=1, POLYTAPE_BACKEND=text)
    assert f"SettingError: POLYTAPE_BACKEND={text!r} is not understood." in result.stderr
    assert "expected: 'auto', or a comma-separated list of backend[:kind][:index]" in result.stderr


def test_the_plugins_variable_is_checked_at_import_too(child: Child) -> None:
    result = child("import polytape", status=1, POLYTAPE_PLUGINS="a//b")
    assert "SettingError: POLYTAPE_PLUGINS='a//b' is not understood." in result.stderr


def test_a_single_name_is_strict(child: Child) -> None:
    code = START + "attempt(default_device); attempt(pt.current_backend)"
    output = lines(child(code, "broken", POLYTAPE_BACKEND="broken"))
    assert output[0].startswith("BackendError POLYTAPE_BACKEND='broken': backend 'broken' cannot be used: ValueError:")
    assert output.count(output[0]) == 2


def test_numpy_replaces_an_optional_backend_that_cannot_be_used(child: Child) -> None:
    for text in ("broken?", "broken?, nothing?"):
        output = lines(child(START + LOG + "attempt(default_device)", "broken", POLYTAPE_BACKEND=text))
        assert output[-1] == "numpy:cpu:0"
        assert output[0].startswith(f"polytape: POLYTAPE_BACKEND={text!r}: backend 'broken' cannot be used: ")


def test_the_error_for_a_list_without_a_usable_backend_gives_each_reason(child: Child) -> None:
    (first, *rest) = lines(child(START + "attempt(default_device)", "broken", POLYTAPE_BACKEND="broken,nunpy"))
    assert first == "BackendError POLYTAPE_BACKEND='broken,nunpy': none of these can be used."
    assert "table is damaged" in "".join(rest) and "did you mean 'numpy'?" in "".join(rest)


def test_the_variable_is_read_again_after_a_failed_choice(child: Child) -> None:
    code = (
        START + "import os\nattempt(default_device)\nos.environ['POLYTAPE_BACKEND'] = 'good'\nattempt(default_device)"
    )
    assert lines(child(code, "good", POLYTAPE_BACKEND="nothing"))[-1] == "good:cpu:0"


def test_auto_chooses_the_highest_rank_and_logs_what_it_did_not_choose(child: Child) -> None:
    code = START + LOG + "print(pt.current_backend().chosen_by, default_device())"
    output = lines(child(code, "good", "broken", POLYTAPE_BACKEND="auto"))
    assert output[-1] == "POLYTAPE_BACKEND good:cpu:0"
    (log,) = [line for line in output if line.startswith("polytape: auto")]
    assert log.startswith("polytape: auto chose 'good' (rank 1000); not chosen: ")
    assert "numpy (rank 0)" in log and "broken (import-failed: ValueError: the driver's table is damaged" in log


def test_auto_skips_backends_that_are_not_automatic_and_keeps_its_choice(child: Child) -> None:
    code = START + DEVICES
    code += """
hidden = make("hidden", [("cpu", 1)], rank=10**6, automatic=False)
print(default_device())
late = make("late", [("cpu", 1)], rank=10**5)
print(default_device())
"""
    assert lines(child(code, "good", POLYTAPE_BACKEND="auto")) == ["good:cpu:0", "good:cpu:0"]


def test_a_scope_overrides_a_call_which_overrides_the_variable(child: Child) -> None:
    code = (
        START
        + """
def show(): print(pt.current_backend().device, pt.current_backend().chosen_by, default_device())
show()
pt.set_backend("numpy")
show()
with pt.device("good") as device:
    show()
    with pt.device("numpy:cpu"):
        show()
    show()
show()
print(pt.current_backend("good:cpu:0").chosen_by, device)
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


def test_a_choice_that_cannot_be_used_changes_nothing(child: Child) -> None:
    code = START + "attempt(pt.set_backend, 'broken')\nattempt(pt.set_backend, 'a b')\nprint(default_device())\n"
    code += "attempt(pt.set_backend, 'broken?,good')\nprint(default_device())"
    output = lines(child(code, "broken", "good"))
    assert output[0].startswith("BackendError set_backend='broken': backend 'broken' cannot be used")
    assert any(line.startswith("SettingError set_backend='a b' is not understood") for line in output)
    assert "numpy:cpu:0" in output and output[-1] == "good:cpu:0"


def test_a_bare_kind_means_the_current_backend_or_else_the_first_ready_one_which_is_logged_once(child: Child) -> None:
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
        "polytape: using backend 'big' for devices of kind 'npu'; 'numpy' has none",
        "numpy:cpu:0 big:npu:1 big:npu:0",
        "small:npu:0",
        "big:npu:0",
    ]


def test_the_error_for_a_missing_device_lists_those_that_exist(child: Child) -> None:
    code = START + "for name in ('numpy:cpu:3', 'cpu:1', 'numpy:gpu', 'cpuu', 'qqq', 'a b', 'good:cpu:0'):\n"
    code += "    attempt(resolve_device, name)\n    print()"
    blocks = child(code, "broken").stdout.split("\n\n")
    assert blocks[0].startswith("DeviceError backend 'numpy' has no device 'numpy:cpu:3'.\n  expected: one of numpy:")
    assert blocks[1].startswith("DeviceError backend 'numpy' has no device 'cpu:1'.")
    assert blocks[2].startswith("DeviceError backend 'numpy' has no device 'numpy:gpu'.")
    assert "neither a backend nor a device kind" in blocks[3] and "did you mean 'cpu'?" in blocks[3]
    assert "broken is import-failed: ValueError" in blocks[4]
    assert blocks[5].startswith("DeviceError 'a b' is not a valid device name.")
    assert blocks[6].startswith("BackendError no backend 'good'; known: numpy (ready)")


def test_an_exit_removes_only_its_own_scope(child: Child) -> None:
    code = (
        START
        + """
first, second = pt.device("good"), pt.device("numpy")
first.__enter__(); second.__enter__()
first.__exit__(None, None, None); print(default_device())
second.__exit__(None, None, None); print(pt.current_backend().chosen_by)
with first:
    with second, first:
        print(default_device())
    print(default_device())
print(pt.current_backend().chosen_by, first)
try:
    with second:
        raise KeyError
except KeyError:
    print(pt.current_backend().chosen_by)
"""
    )
    assert lines(child(code, "good")) == [
        "numpy:cpu:0", "default", "good:cpu:0", "good:cpu:0", "default device('good')", "default",
    ]  # fmt: skip


def test_each_thread_and_task_has_its_own_scopes(child: Child) -> None:
    code = (
        START
        + """
import asyncio, threading
devices = []
with pt.device("good"):
    thread = threading.Thread(target=lambda: devices.append(str(default_device())))
    thread.start(); thread.join()
async def use(name, wait):
    with pt.device(name):
        await asyncio.sleep(wait)
        devices.append(str(default_device()))
async def use_both():
    await asyncio.gather(use("good", 0.02), use("numpy", 0.01))
asyncio.run(use_both())
print(devices)
"""
    )
    assert lines(child(code, "good")) == ["['numpy:cpu:0', 'numpy:cpu:0', 'good:cpu:0']"]


def test_changing_the_variable_after_it_was_read_warns_once(child: Child) -> None:
    code = (
        START
        + """
import os, warnings
def caught(call):
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        call()
    return [(w.category.__name__, str(w.message), os.path.basename(w.filename)) for w in log]
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
    output = lines(child(code, "good"))
    assert output[0] == "[] []" and output[1] == "[]" and output[3] == "[]"
    assert output[2] == str([(
        "PolytapeWarning",
        "POLYTAPE_BACKEND changed from 'numpy' to 'good' after it was read; this has no effect: "
        "call polytape.set_backend('good')",
        "<string>",
    )])  # fmt: skip
    assert "changed from 'numpy' to ''" in output[4] and "set_backend('numpy')" in output[4]
    assert "set_backend('good,numpy')" in output[5]
    assert output[6] == "set_backend"


def test_the_default_is_chosen_again_if_its_backend_was_removed(child: Child) -> None:
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
    output = lines(child(code))
    assert output[:2] == ["short:cpu:0", "short:cpu:0"]
    assert output[2].startswith("BackendError no backend 'short'") and output[-1] == "numpy:cpu:0"


def test_the_import_loads_no_module_that_is_rarely_needed(child: Child) -> None:
    code = "import sys, numpy; before = set(sys.modules); import polytape; new = set(sys.modules) - before\n"
    code += "print(sorted(new & {'logging', 'pluggy', 'importlib.metadata', 'difflib', 'threading', 'argparse'}))"
    assert lines(child(code, "good", POLYTAPE_BACKEND="nothing")) == ["[]"]


def test_a_device_scope_given_as_an_argument_is_the_device_that_it_names(child: Child) -> None:
    code = (
        START
        + """
import numpy as np
place, numpy = pt.device("good"), pt.device("numpy:cpu:0")
x = pt.asarray([1.0], device=place)
print(x.device, pt.zeros((2,), device=place).device, pt.Variable(1.0, device=place).device)
print(x.to_device(numpy).device, pt.arange(3, device=place).device, pt.device(place), resolve_device(place))
print(pt.random.uniform((2,), device=place).device, pt.current_backend(place).name)
pt.synchronize(place)
pt.set_backend(place); print(pt.current_backend().device)
with pt.device(numpy) as device: print(device, default_device())
attempt(resolve_device, pt.device)
"""
    )
    *shown, error = child(code, "good").stdout.split("\n", 5)
    assert shown == [
        "good:cpu:0 good:cpu:0 good:cpu:0",
        "numpy:cpu:0 good:cpu:0 device('good') good:cpu:0",
        "good:cpu:0 good",
        "good:cpu:0",
        "numpy:cpu:0 numpy:cpu:0",
    ]
    assert error.startswith("DeviceError <class 'polytape.placement.default_backend.device'> is not a valid device")
