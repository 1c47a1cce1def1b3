"""What `import polytape` may load: little beyond numpy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "dataclasses",
    "importlib.metadata",
    "ml_dtypes",
    "optree",
    "pluggy",
    "polytape_cupy",
    "polytape_numba",
    "polytape_numpy",
    "safetensors",
    "cupy",
    "numba",
}


def modules_after(program: str) -> set[str]:
    """The modules a fresh interpreter holds after running `program`."""
    code = f"{program}\nimport sys\nprint('\\n'.join(sys.modules))"
    # Without coverage and other tools that load modules of their own into child processes.
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.fixture(scope="module")
def added() -> set[str]:
    """The modules that polytape loads and numpy does not."""
    return modules_after("import polytape") - modules_after("import numpy")


def test_importing_polytape_loads_no_plugin_and_nothing_slow(added: set[str]) -> None:
    assert not added & HEAVY


def test_importing_polytape_loads_no_command_line_and_no_graph_compiler(added: set[str]) -> None:
    unwanted = ("polytape.cli", "polytape.testing", "polytape.compat", "argparse", "inspect", "ast")
    assert not [name for name in added if name.startswith(tuple(f"{part}." for part in unwanted)) or name in unwanted]


def test_the_first_tensor_loads_one_backend_only() -> None:
    loaded = modules_after("import polytape as pt\npt.asarray([1.0])")
    assert "polytape_numpy" in loaded
    assert not loaded & {"numba", "cupy", "polytape_numba", "polytape_cupy", "importlib.metadata"} - modules_after(
        "import numpy, pluggy"
    )


def test_importing_polytape_warns_of_nothing() -> None:
    command = [sys.executable, "-W", "error", "-c", "import polytape"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
