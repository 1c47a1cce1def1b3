"""Resolution: from an op and its operands' Kinds to the kernel that serves, and the text that explains it."""

from __future__ import annotations

from functools import partial
from typing import Any

from .. import dtypes
from ..backend import Backend, Kernel
from ..device import Device
from ..errors import DTypeError, KernelError
from ..registry import tables
from ..registry.entry import Copying, Entry, Guarded
from ..registry.kinds import Kind, get_kind
from ..registry.op import Op
from ..settings import settings
from .wrappers import Body, Unchecked

__all__ = ["explain_resolution", "resolve"]

Kinds = tuple[Kind | None, ...]


def resolve(op: Op, backend: Backend, device: Device, kinds: Kinds, fixed: dict[str, Any]) -> Entry:
    """Find what serves ``op`` on these operands; the caller memoises it.

    Args:
        op: the op.
        backend, device: where it runs.
        kinds: per operand; None for an operand left out.
        fixed: the attributes that its dtype rule asks for, as given, with defaults filled in; ``device`` for
            creation ops.
    Raises:
        DTypeError: the dtype rule refuses.
        KernelError: nothing serves.
    """
    outs = output_kinds(op, backend, device, kinds, fixed)
    resolved = dict(fixed)
    if "dtype" in op.attributes:
        resolved["dtype"] = outs[0].dtype
    key = kinds[0] if kinds else None
    same = key is not None and all([kind is key for kind in kinds])
    candidates = find_candidates(op, backend, device, kinds, outs)
    if candidates:
        last = None if op.primitive else prepared(Body(op, kinds), resolved)
        fn = fold(op, candidates, kinds, outs, resolved, last or Missing(op, backend, device, kinds, outs, resolved))
        return Entry(fn, key if same else None, kinds, outs, tuple(candidates), "kernel")
    if not op.primitive:
        fn = prepared(Body(op, kinds), resolved)
        return Entry(fn, key if same else None, kinds, outs, tuple(candidates), "body")
    return on_the_host(op, backend, device, kinds, outs, resolved)


def output_kinds(op: Op, backend: Backend, device: Device, kinds: Kinds, fixed: dict[str, Any]) -> tuple[Kind, ...]:
    """The Kinds of an op's outputs, by its dtype rule."""
    asked = {name: fixed[name] for name in op.dtype_attributes}
    try:
        found = op.dtype_rule(*[None if kind is None else kind.dtype for kind in kinds], **asked)
    except DTypeError as error:
        names = ", ".join(str(kind.dtype) for kind in kinds if kind is not None)
        raise DTypeError(
            f"{op.name}({names}): {error.summary}", expected=error.expected, got=error.got or names, fix=error.fix
        ) from None
    if isinstance(found, tuple):
        return tuple([get_kind(backend, device, dtype) for dtype in found])
    return (get_kind(backend, device, found),)


def find_candidates(op: Op, backend: Backend, device: Device, kinds: Kinds, outs: tuple[Kind, ...]) -> list[Kernel]:
    """Kernels that serve these dtypes here, nearest backend first; the list ends with one without a predicate."""
    found: list[Kernel] = []
    names = dtype_names(op, kinds, outs)
    for one in backend.chain():
        for kernel in pinned_first(op.name, one.name, tables.kernels_of(one.name, op.name)):
            if why_not(op, kernel, device, names) == "":
                found.append(kernel)
                if kernel.when is None:
                    return found
    return found


def pinned_first(op: str, backend: str, kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """The kernels, those that POLYTAPE_KERNELS pins before the others."""
    provider = tables.pins().get((op, backend))
    if provider is None:
        return kernels
    chosen = tuple([kernel for kernel in kernels if kernel.provider == provider])
    return (*chosen, *[kernel for kernel in kernels if kernel.provider != provider])


def dtype_names(op: Op, kinds: Kinds, outs: tuple[Kind, ...]) -> list[str]:
    """Per device operand its dtype's name; an op without operands is looked up by its output's."""
    names = [kind.dtype.name for position, kind in enumerate(kinds) if kind is not None and not op.on_host(position)]
    return names or [outs[0].dtype.name]


def why_not(op: Op, kernel: Kernel, device: Device, names: list[str]) -> str:
    """Why a kernel does not serve these dtypes on this device; empty where it does."""
    if kernel.devices and device.kind not in kernel.devices:
        return f"serves only device kinds {', '.join(kernel.devices)}"
    promoted = [name for position, name in enumerate(names) if op.promoted(position)] or names[:1]
    for entry in kernel.dtypes:
        if isinstance(entry, tuple):
            if len(entry) == len(names) and all(
                name in dtypes.names_of(part) for name, part in zip(names, entry, strict=True)
            ):
                return ""
        elif all(name in dtypes.names_of(entry) for name in promoted):
            return ""
    return f"serves only dtypes {', '.join(map(str, kernel.dtypes))}"


def fold(
    op: Op, candidates: list[Kernel], kinds: Kinds, outs: tuple[Kind, ...], resolved: dict[str, Any], last: Any
) -> Any:
    """One callable from the candidates: predicates, shape rule and settled attributes folded in; ``last`` ends it."""
    callables = [(kernel.when, prepare(op, kernel, kinds, outs, resolved)) for kernel in candidates]
    if callables[-1][0] is None:
        last = callables.pop()[1]
    return Guarded(callables, last) if callables else last


class Missing:
    """Where all predicates of a primitive's kernels are false: the host's kernel if policy allows, else an error."""

    __slots__ = ("backend", "device", "kinds", "op", "outs", "resolved")

    def __init__(
        self, op: Op, backend: Backend, device: Device, kinds: Kinds, outs: tuple[Kind, ...], resolved: dict[str, Any]
    ) -> None:
        self.op: Op = op
        self.backend: Backend = backend
        self.device: Device = device
        self.kinds: Kinds = kinds
        self.outs: tuple[Kind, ...] = outs
        self.resolved: dict[str, Any] = resolved

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        entry = on_the_host(self.op, self.backend, self.device, self.kinds, self.outs, self.resolved)
        return entry.fn(*arrays, **{name: attributes[name] for name in attributes if name not in ("dtype", "device")})


def prepare(op: Op, kernel: Kernel, kinds: Kinds, outs: tuple[Kind, ...], resolved: dict[str, Any]) -> Any:
    """A kernel's function with what core does around it."""
    fn = kernel.fn
    if not kernel.checked:
        fn = Unchecked(fn, op, outs)
    fn = prepared(fn, resolved)
    if kernel.writes:
        fn = Copying(fn, kinds, tuple([op.operands.index(name) for name in kernel.writes]))
    return fn


def prepared(fn: Any, resolved: dict[str, Any]) -> Any:
    """``fn`` with the attributes that resolution settled, if there are any."""
    passed: dict[str, Any] = {name: resolved[name] for name in ("dtype", "device") if name in resolved}
    return partial(fn, **passed) if passed else fn


def on_the_host(
    op: Op, backend: Backend, device: Device, kinds: Kinds, outs: tuple[Kind, ...], resolved: dict[str, Any]
) -> Entry:
    """The last rung: the host's kernel with transfers both ways, only where the fallback policy allows it.

    Raises:
        KernelError: the policy is ``error``, or the host has no kernel either.
    """
    from .. import plugins
    from .fallback import HostCall

    policy = settings().fallback
    host = plugins.host_backend()
    if policy != "error" and host is not backend:
        there = host.device_list()[0]
        moved = tuple([None if kind is None else get_kind(host, there, kind.dtype) for kind in kinds])
        entry = resolve(op, host, there, moved, {**resolved, **({"device": there} if "device" in resolved else {})})
        return Entry(HostCall(op, entry, kinds, outs, policy == "warn"), None, kinds, outs, (), "host")
    names = ", ".join(dtype_names(op, kinds, outs))
    found = [kernel for one in backend.chain() for kernel in tables.kernels_of(one.name, op.name)]
    serving = "its predicate is false for these operands"
    listed = "; ".join(
        f"{kernel!r}: {why_not(op, kernel, device, dtype_names(op, kinds, outs)) or serving}" for kernel in found
    )
    raise KernelError(
        f"{op.name} has no kernel for ({names}) on {device}.",
        expected=f"a kernel of backend {backend.name!r} for {op.name}, which has no decomposition",
        got=listed or f"none registered for {op.name} on {' or '.join(one.name for one in backend.chain())}",
        fix=f"cast to a dtype it serves, register one with @polytape.kernel({op.name!r}, backend={backend.name!r}), "
        "or allow the host with polytape.set_fallback('warn')",
    )


def explain_resolution(
    op: Op, backend: Backend, device: Device, kinds: Kinds, entry: Entry, arrays: Any, attributes: dict[str, Any]
) -> str:
    """How ``entry`` was found, as text: each candidate, and why it lost or won (predicates evaluated)."""
    names = dtype_names(op, kinds, entry.outs)
    given = {name: value for name, value in attributes.items() if name not in ("dtype", "device")}  # as a call does
    lines = [f"{op.name}({', '.join(names)}) on {device}"]
    decided = False
    for one in backend.chain():
        kernels = pinned_first(op.name, one.name, tables.kernels_of(one.name, op.name))
        if not kernels:
            lines.append(f"  {one.name}: no kernel registered")
        for kernel in kernels:
            reason = why_not(op, kernel, device, names)
            if reason == "" and decided:
                reason = "not reached"
            if reason == "" and kernel.when is not None and not kernel.when(*arrays, **given):
                reason = f"its predicate {getattr(kernel.when, '__name__', '')} is false for these operands"
            if reason == "":
                decided = True
            lines.append(f"  {one.name}: {kernel!r}: {reason or 'CHOSEN'}")
    if not decided:
        how = "CHOSEN: the host (fallback policy)"
        if not op.primitive:
            how = "CHOSEN: its body, run as ops on the same device"
        elif settings().fallback == "error":
            how = "nothing serves: a call raises KernelError"
        lines.append(f"  {how}")
    lines.append(f"  output: {', '.join(str(out.dtype) for out in entry.outs)}")
    return "\n".join(lines)
