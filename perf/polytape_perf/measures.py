"""What a call costs, measured in a process: opcodes, kernels, bytes.

The worker loads this file by its path, so it imports nothing of this package.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Callable
from typing import Any

__all__ = ["counting_backend", "opcodes", "peak_nbytes"]

Call = Callable[[], object]


def counting_backend(name: str, extends: str, ran: Counter[str]) -> Any:
    """A backend like another one, that counts the calls of each of its kernels by op.

    Args:
        extends: the other backend; kernels of a backend that this one extends in turn are not counted.
        ran: the counts.
    """
    import polytape as pt

    def counting(kernel: Any) -> Any:
        def fn(*arrays: Any, **attributes: Any) -> Any:
            ran[kernel.op] += 1
            return kernel.fn(*arrays, **attributes)

        return pt.Kernel(
            kernel.op, fn, devices=kernel.devices, dtypes=kernel.dtypes, when=kernel.when, priority=kernel.priority,
            checked=kernel.checked, writes=kernel.writes,
        )  # fmt: skip

    kernels = [counting(kernel) for kernel in pt.get_backend(extends).all_kernels()]
    return pt.Backend(name=name, extends=extends, kernels=kernels)


def opcodes(call: Call, own: tuple[str, ...] = ("",)) -> int:
    """The number of opcodes of Python code that one call runs.

    Args:
        own: only code in files whose names begin so counts.
    """
    if sys.version_info >= (3, 12):
        return _opcodes_by_monitoring(call, own)
    count = 0

    def on_opcode(frame: types.FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return on_opcode

    def on_call(frame: types.FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(own):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return on_opcode

    sys.settrace(on_call)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def _opcodes_by_monitoring(call: Call, own: tuple[str, ...]) -> int:
    """As `opcodes`, with sys.monitoring (new in Python 3.12), which does not slow down code that is not counted."""
    count = 0
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # mypy is configured for Python 3.11
    tool = monitoring.PROFILER_ID

    def on_instruction(code: types.CodeType, offset: int) -> Any:
        nonlocal count
        if not code.co_filename.startswith(own):
            return monitoring.DISABLE
        count += 1
        return None

    monitoring.use_tool_id(tool, "polytape counters")
    try:
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, on_instruction)
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        call()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return count


def peak_nbytes(call: Call) -> int:
    """Peak bytes of a call beyond those in use before it."""
    import gc  # late: asv_bench/counters.py counts the modules that `import polytape` loads beside these
    import tracemalloc

    tracemalloc.start()
    try:
        call()
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
