"""The CUDA source of the backend's own kernel compiles with NVRTC, which needs no GPU."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

import pytest

from polytape_cupy.kernels.optim import ADAM

# The code that cupy generates around the body: one type per letter, constant inputs, outputs as references.
SOURCE = """
typedef {real} T;
typedef {integer} S;
extern "C" __global__ void {name}({params}, size_t _n) {{
  for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < _n; i += (size_t)gridDim.x * blockDim.x) {{
    {references}
    {operation};
  }}
}}
"""


def nvrtc() -> Any:
    """The NVRTC library from the distribution nvidia-cuda-nvrtc-cu12 or the system; skips the test if there is none."""
    pattern = "nvidia/cuda_nvrtc/lib/libnvrtc.so.*"
    names = [str(path) for folder in sys.path for path in Path(folder or ".").glob(pattern)]
    for name in [*names, "libnvrtc.so", "libnvrtc.so.12", "nvrtc64_120_0.dll"]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")


def compile_source(library: Any, source: str, name: str) -> tuple[int, str, str]:
    """The status of NVRTC, its log and the PTX assembly."""
    program = ctypes.c_void_p()
    assert library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None) == 0
    options = (ctypes.c_char_p * 1)(b"--gpu-architecture=compute_75")
    status = library.nvrtcCompileProgram(program, 1, options)
    texts = []
    for output in ("ProgramLog", "PTX"):
        size = ctypes.c_size_t()
        getattr(library, f"nvrtcGet{output}Size")(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(max(size.value, 1))
        getattr(library, f"nvrtcGet{output}")(program, text)
        texts.append(text.value.decode())
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return status, texts[0], texts[1]


def kernel_source(real: str, integer: str) -> str:
    """The source of the kernel for these types."""
    inputs = [tuple(part.split()) for part in ADAM["in_params"].split(",")]
    outputs = [tuple(part.split()) for part in ADAM["out_params"].split(",")]
    params = [f"const {t}* _raw_{n}" for t, n in inputs] + [f"{t}* _raw_{n}" for t, n in outputs]
    references = [f"const {t} &{n} = _raw_{n}[i];" for t, n in inputs]
    references += [f"{t} &{n} = _raw_{n}[i];" for t, n in outputs]
    return SOURCE.format(
        real=real,
        integer=integer,
        name=ADAM["name"],
        params=", ".join(params),
        references=" ".join(references),
        operation=ADAM["operation"],
    )


@pytest.mark.slow
@pytest.mark.parametrize("integer", ["int", "long long"])
@pytest.mark.parametrize("real", ["float", "double"])
def test_adam_compiles_for_every_type_without_warnings(real: str, integer: str) -> None:
    status, log, ptx = compile_source(nvrtc(), kernel_source(real, integer), "adam.cu")
    assert status == 0 and not log.strip(), log
    assert f".entry {ADAM['name']}" in ptx
    if real == "float":
        assert ".f64" not in ptx, "the float kernel computes in double precision"


@pytest.mark.slow
def test_a_mistake_in_the_source_is_detected() -> None:
    status, log, _ = compile_source(nvrtc(), kernel_source("float", "int").replace("sqrt(v)", "sqroot(v)"), "adam.cu")
    assert status != 0 and "sqroot" in log
