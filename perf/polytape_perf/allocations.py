"""How often a call allocates memory for Python objects, compiled code included.

CPython asks a table of functions for the memory of its objects, and lets a program replace them. The replacements are
machine code, made with llvmlite: each adds 1 to a number, and then calls the function that it replaces. Functions in
Python would not do, since they allocate objects themselves. llvmlite comes with numba; without it there is no count.

Objects that CPython takes from its own free lists (floats, short tuples, frames) need no memory, and do not count; nor
do the buffers of NumPy's arrays, which `polytape_perf.measures.peak_nbytes` sees.

The worker loads this file by its path, so it imports nothing of this package.

Source:
    Python/C API, "Memory Management", section "Customize Memory Allocators"; PEP 445.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

__all__ = ["allocations"]

Call = Callable[[], object]

_DOMAINS: Final = (1, 2)  # PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ
_CALLS: Final = 7
_FUNCTION: Final = """
define i8* @counting_{name}({parameters}) {{
  %count = inttoptr i64 {count} to i64*
  %before = load i64, i64* %count
  %after = add i64 %before, 1
  store i64 %after, i64* %count
  %original = inttoptr i64 {original} to i8* ({types})*
  %result = call i8* %original({parameters})
  ret i8* %result
}}
"""
_PARAMETERS: Final = {
    "malloc": "i8* %context, i64 %size",
    "calloc": "i8* %context, i64 %number, i64 %size",
    "realloc": "i8* %context, i8* %memory, i64 %size",
}


class _Allocator(ctypes.Structure):
    """PyMemAllocatorEx."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")]


class _Counter:
    """The tables of both domains, as they are and as they count."""

    def __init__(self) -> None:
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        self.count = ctypes.c_int64(0)
        self.plain = [_Allocator() for _ in _DOMAINS]
        self.counting = [_Allocator() for _ in _DOMAINS]
        self.engines = [self.compile(binding, *which) for which in enumerate(_DOMAINS)]

    def compile(self, binding: Any, index: int, domain: int) -> Any:
        """Fill the tables of a domain; returns what keeps the machine code alive."""
        plain, counting = self.plain[index], self.counting[index]
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(plain))
        functions = [
            _FUNCTION.format(
                name=name, parameters=parameters, count=ctypes.addressof(self.count), original=getattr(plain, name),
                types=", ".join(part.split()[0] for part in parameters.split(", ")),
            )
            for name, parameters in _PARAMETERS.items()
        ]  # fmt: skip
        machine = binding.Target.from_default_triple().create_target_machine(jit=True)
        engine = binding.create_mcjit_compiler(binding.parse_assembly("".join(functions)), machine)
        engine.finalize_object()
        counting.context, counting.free = plain.context, plain.free
        for name in _PARAMETERS:
            setattr(counting, name, engine.get_function_address(f"counting_{name}"))
        return engine

    def install(self, tables: list[_Allocator]) -> None:
        """Make CPython use these tables."""
        for domain, table in zip(_DOMAINS, tables, strict=True):
            ctypes.pythonapi.PyMem_SetAllocator(domain, ctypes.byref(table))


_made: list[_Counter] = []  # machine code is made once per process


def allocations(call: Call) -> int | None:
    """Allocations of one call; None without llvmlite. The smallest of some calls, since now and then a table grows."""
    try:
        counter = _made[0] if _made else _Counter()
    except ImportError:
        return None
    _made[:] = [counter]
    return max(0, _fewest(counter, call) - _fewest(counter, _nothing))


def _nothing() -> None:
    """What counting itself allocates is that of this call."""


def _fewest(counter: _Counter, call: Call) -> int:
    counted = []
    counter.install(counter.counting)
    try:
        for _ in range(_CALLS):
            before = counter.count.value
            call()
            counted.append(counter.count.value - before)
    finally:
        counter.install(counter.plain)
    return min(counted)
