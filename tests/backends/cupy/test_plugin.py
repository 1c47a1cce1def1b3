"""The cupy backend as a plugin: its statuses on machines of every kind, in child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import ModuleType

import pytest

ASK = """
import polytape as pt
s = {s.name: s for s in pt.backends()}["cupy"]
print(s.status, s.reason, s.remedy, len(s.devices), sep="\\n")
"""


@pytest.fixture
def stand_in(standin: ModuleType) -> str:
    """The folder that makes `import cupy` find the stand-in, first of all."""
    return str(standin.STAND_IN)


def child(code: str, *places: str, **settings: str) -> str:
    """What Python prints when it runs ``code`` with ``places`` before its path."""
    inherited = [place for place in sys.path if place and not place.endswith("stand_in")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    environment |= {"PYTHONPATH": os.pathsep.join([*places, *inherited]), **settings}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_importing_the_plugin_imports_no_cupy(stand_in: str) -> None:
    child("import sys, polytape_cupy.plugin; assert 'cupy' not in sys.modules", stand_in)


def test_numpy_chosen_by_name_never_touches_cupy(stand_in: str) -> None:
    code = "import sys, polytape as pt; pt.zeros((2,)); assert not {'cupy', 'polytape_cupy'} & set(sys.modules)"
    child(code, stand_in, POLYTAPE_BACKEND="numpy")


def test_without_cupy_the_status_says_what_to_install(standin: ModuleType) -> None:
    if standin.real():
        pytest.skip("cupy itself is installed")
    found = child(ASK).splitlines()
    assert found == ["absent", "cupy is not installed", "pip install 'polytape[cupy]'", "0"]


@pytest.mark.parametrize(
    ("mode", "reason", "remedy"),
    [
        ("no-driver", "cudaErrorInsufficientDriver: CUDA driver version is insufficient", "install or update"),
        ("no-device", "cudaErrorNoDevice: no CUDA-capable device", "CUDA_VISIBLE_DEVICES"),
        ("0", "CUDA shows no device", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_without_a_gpu_the_status_gives_the_runtime_s_reason(
    stand_in: str, mode: str, reason: str, remedy: str
) -> None:
    found = child(ASK, stand_in, CUPY_STAND_IN=mode).splitlines()
    assert found[0] == "no-device"
    assert reason in found[1] and remedy in found[2]


def test_a_cupy_that_cannot_be_imported_is_told_with_its_cause(stand_in: str) -> None:
    found = child(ASK, stand_in, CUPY_STAND_IN="broken").splitlines()
    assert found[0] == "import-failed"
    assert "libcublas.so.12" in found[1] and "pip install 'polytape[cupy]'" in found[2]


def test_a_driver_that_hangs_is_given_up_after_two_seconds(stand_in: str) -> None:
    code = f"import time; start = time.perf_counter()\n{ASK}\nprint(time.perf_counter() - start)"
    start = time.perf_counter()
    found = child(code, stand_in, CUPY_STAND_IN="hang").splitlines()
    assert found[0] == "no-device" and "has not answered within 2 s" in found[1]
    assert float(found[-1]) < 5.0  # the scan and the other backends included
    assert time.perf_counter() - start < 30.0, "the process waited for the driver at its end"


def test_asking_for_it_without_a_gpu_raises_reason_and_remedy(stand_in: str) -> None:
    code = """
import polytape as pt
try:
    pt.zeros((2,), device="gpu")
except pt.PolytapeError as error:
    print(error)
try:
    pt.zeros((2,), device="cupy")
except pt.PolytapeError as error:
    print(error)
"""
    text = child(code, stand_in, CUPY_STAND_IN="no-driver")
    assert "backend 'cupy' cannot be used: cudaErrorInsufficientDriver" in text
    assert "nvidia-smi" in text


def test_every_gpu_is_a_device(stand_in: str) -> None:
    assert child(ASK, stand_in, CUPY_STAND_IN="3").splitlines() == ["ready", "", "", "3"]


def test_one_gpu_computes_too(stand_in: str) -> None:
    code = "import polytape as pt; x = pt.ones((3,), device='gpu'); print((x + x).tolist(), x.device)"
    assert child(code, stand_in, CUPY_STAND_IN="1").strip() == "[2.0, 2.0, 2.0] cupy:gpu:0"


def test_auto_takes_a_gpu_before_all_others(stand_in: str) -> None:
    code = "import polytape as pt; print(pt.zeros((2,)).device)"
    assert child(code, stand_in, POLYTAPE_BACKEND="auto").strip() == "cupy:gpu:0"
