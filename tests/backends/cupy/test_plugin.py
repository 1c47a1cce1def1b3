"""The CuPy backend as a plugin: its statuses on simulated machines, in child processes."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import pytest

PRINT_STATUS = """
import polytape as pt
s = {s.name: s for s in pt.backends()}["cupy"]
print(s.status, s.reason, s.remedy, len(s.devices), sep="\\n")
"""


@pytest.fixture
def stand_in(standin: ModuleType) -> str:
    """The folder of the stand-in, which must be first on the path."""
    return str(standin.STAND_IN)


def child(code: str, *folders: str, **settings: str) -> str:
    """The output of a Python process that runs ``code`` with ``folders`` first on its path."""
    inherited = [folder for folder in sys.path if folder and not folder.endswith("stand_in")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    environment |= {"PYTHONPATH": os.pathsep.join([*folders, *inherited]), **settings}
    command = [sys.executable, "-W", "error", "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_importing_the_plugin_does_not_import_cupy(stand_in: str) -> None:
    child("import sys, polytape_cupy.plugin; assert 'cupy' not in sys.modules", stand_in)


def test_selecting_numpy_by_name_does_not_import_cupy(stand_in: str) -> None:
    code = "import sys, polytape as pt; pt.zeros((2,)); assert not {'cupy', 'polytape_cupy'} & set(sys.modules)"
    child(code, stand_in, POLYTAPE_BACKEND="numpy")


def test_without_cupy_the_status_gives_the_install_command(standin: ModuleType) -> None:
    if standin.cupy_is_installed():
        pytest.skip("cupy itself is installed")
    lines = child(PRINT_STATUS).splitlines()
    assert lines == ["absent", "cupy is not installed", "pip install 'polytape[cupy]'", "0"]


@pytest.mark.parametrize(
    ("mode", "reason", "remedy"),
    [
        ("no-driver", "cudaErrorInsufficientDriver: CUDA driver version is insufficient", "install or update"),
        ("no-device", "cudaErrorNoDevice: no CUDA-capable device", "CUDA_VISIBLE_DEVICES"),
        ("0", "CUDA reports no device", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_without_a_gpu_the_status_gives_the_reason_from_the_cuda_runtime(
    stand_in: str, mode: str, reason: str, remedy: str
) -> None:
    lines = child(PRINT_STATUS, stand_in, CUPY_STAND_IN=mode).splitlines()
    assert lines[0] == "no-device"
    assert reason in lines[1] and remedy in lines[2]


def test_the_status_of_a_cupy_that_cannot_be_imported_gives_the_cause(stand_in: str) -> None:
    lines = child(PRINT_STATUS, stand_in, CUPY_STAND_IN="broken").splitlines()
    assert lines[0] == "import-failed"
    assert "libcublas.so.12" in lines[1] and "pip install 'polytape[cupy]'" in lines[2]


def test_the_probe_of_a_driver_that_hangs_ends_after_two_seconds(stand_in: str) -> None:
    # The driver hangs for longer than a child may run, so neither the probe nor the end of the process waits for it.
    lines = child(PRINT_STATUS, stand_in, CUPY_STAND_IN="hang").splitlines()
    assert lines[0] == "no-device" and "did not respond within 2 s" in lines[1]


def test_requesting_the_backend_without_a_gpu_raises_reason_and_remedy(stand_in: str) -> None:
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
    assert child(PRINT_STATUS, stand_in, CUPY_STAND_IN="3").splitlines() == ["ready", "", "", "3"]


def test_ops_run_on_a_single_gpu(stand_in: str) -> None:
    code = "import polytape as pt; x = pt.ones((3,), device='gpu'); print((x + x).tolist(), x.device)"
    assert child(code, stand_in, CUPY_STAND_IN="1").strip() == "[2.0, 2.0, 2.0] cupy:gpu:0"


def test_auto_prefers_a_gpu(stand_in: str) -> None:
    code = "import polytape as pt; print(pt.zeros((2,)).device)"
    assert child(code, stand_in, POLYTAPE_BACKEND="auto").strip() == "cupy:gpu:0"
