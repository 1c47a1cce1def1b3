"""The contract of a backend: what a plugin hands over, and the kernels it brings.

A backend is a value, not a subclass: memory functions, a list of devices, and kernels on its own native arrays. Core
never looks at its name to decide anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from .device import Device, get_device
from .errors import BackendError, MemoryInfoError, RegistrationError

__all__ = ["API_VERSION", "Backend", "Kernel", "MemoryInfo", "Probe"]

# The plugin API's own version: the major number is also in the entry-point groups' names.
API_VERSION: Final = "1.0"


class Kernel:
    """One op's numbers on one backend: a pure function on native arrays.

    Args:
        op: the op's name, for example ``"matmul"``.
        fn: ``(*arrays, **attributes) -> array``, or a tuple of arrays for an op with several outputs. Its attributes'
            defaults equal the op's. Attributes are passed only where the caller gave them, except ``dtype`` and
            ``device``, which are always passed, resolved, to kernels of ops that have them.
        devices: device kinds it serves, such as ``("cpu",)``; empty means every kind of its backend.
        dtypes: what it serves, each entry a dtype name, a kind such as ``"floating"`` or ``"any"`` (for all operands
            that promote together), or a tuple of these with one entry per operand.
        when: predicate on the operands' native arrays (and attributes); the kernel serves only where it is true.
        priority: higher is asked first.
        checked: whether ``fn`` itself raises on every bad shape. With ``checked=False`` core runs the op's shape rule
            first and passes the outputs as keyword ``spec``, a tuple of ``(shape, dtype)``.
        writes: names of the operands it overwrites, in the order of the outputs they become.
        fresh: whether its result never shares memory with an operand, so that a graph may reuse it as a temporary.
        out: whether ``fn`` takes a keyword ``out``, an array of the result's shape and dtype to write the result into;
            implies ``fresh``.
        backend: the backend it belongs to; only needed in a plugin that adds kernels to somebody else's backend.
    """

    __slots__ = (
        "backend", "checked", "devices", "dtypes", "fn", "fresh", "op", "out", "priority", "provider", "when", "writes",
    )  # fmt: skip

    def __init__(
        self,
        op: str,
        fn: Callable[..., Any],
        *,
        devices: Sequence[str] = (),
        dtypes: Sequence[str | tuple[str, ...]] = ("any",),
        when: Callable[..., bool] | None = None,
        priority: int = 0,
        checked: bool = True,
        writes: Sequence[str] = (),
        fresh: bool = False,
        out: bool = False,
        backend: str = "",
    ) -> None:
        self.op: str = op
        self.fn: Any = fn
        self.devices: tuple[str, ...] = tuple(devices)
        self.dtypes: tuple[str | tuple[str, ...], ...] = tuple(dtypes)
        self.when: Any = when
        self.priority: int = priority
        self.checked: bool = checked
        self.writes: tuple[str, ...] = tuple(writes)
        self.fresh: bool = fresh or out
        self.out: bool = out
        self.backend: str = backend
        self.provider: str = ""  # the distribution (or "in-process") it came from; set at registration

    def __repr__(self) -> str:
        where = f"{self.backend or '?'}:{'|'.join(self.devices) or '*'}"
        name = getattr(self.fn, "__name__", type(self.fn).__name__)
        extra = "".join(
            f", {text}"
            for text, shown in (
                (f"when={getattr(self.when, '__name__', 'predicate')}", self.when is not None),
                (f"priority={self.priority}", self.priority != 0),
                ("unchecked", not self.checked),
                (f"writes={', '.join(self.writes)}", bool(self.writes)),
                (f"from {self.provider}", self.provider != ""),
            )
            if shown
        )
        return f"Kernel({self.op!r}, {name}, {where}, {self.dtypes}{extra})"


class Probe:
    """What a backend says of itself: usable now, or why not and what to do.

    Args:
        ready: whether at least one device can be used.
        reason: one line, why not (empty when ready).
        remedy: one line, what to do about it (empty when ready).
        missing: ``"no-device"`` where only the hardware is missing, ``"absent"`` where a library is,
            ``"import-failed"`` where that library is broken.
    """

    __slots__ = ("missing", "ready", "reason", "remedy")

    def __init__(self, ready: bool = True, reason: str = "", remedy: str = "", missing: str = "no-device") -> None:
        self.ready: bool = ready
        self.reason: str = reason
        self.remedy: str = remedy
        self.missing: str = missing

    def __repr__(self) -> str:
        return "Probe(ready)" if self.ready else f"Probe({self.missing}: {self.reason}; {self.remedy})"


class MemoryInfo:
    """One device's memory, in bytes: in use now, at its highest, and in all (-1 where unknown)."""

    __slots__ = ("allocated_nbytes", "peak_nbytes", "total_nbytes")

    def __init__(self, allocated_nbytes: int, peak_nbytes: int = -1, total_nbytes: int = -1) -> None:
        self.allocated_nbytes: int = allocated_nbytes
        self.peak_nbytes: int = peak_nbytes
        self.total_nbytes: int = total_nbytes

    def __repr__(self) -> str:
        return (
            f"MemoryInfo(allocated_nbytes={self.allocated_nbytes}, peak_nbytes={self.peak_nbytes}, "
            f"total_nbytes={self.total_nbytes})"
        )


# What a backend that extends another takes over from it where it brings no own.
_INHERITED: Final = (
    "devices", "from_host", "to_host", "copy", "empty", "synchronize", "lift", "exclusive", "memory_info",
)  # fmt: skip


class Backend:
    """One backend: devices, memory and kernels.

    A backend with ``extends`` names another whose arrays and memory it shares; it then needs only ``name`` and the
    kernels it has faster.

    Args:
        name: lower-case name, as in ``POLYTAPE_BACKEND`` and in the entry point.
        version: its own version, shown by ``polytape backends``.
        library: the library behind it and its version, such as ``"numpy 2.4.6"``.
        devices: ``() -> [(kind, count), ...]``, for example ``[("cpu", 1)]``.
        array_type: type of its native arrays; instances have ``.shape`` (tuple of int) and ``.dtype`` (NumPy dtype)
            as soon as they exist, also while a result is still queued.
        from_host: ``(ndarray, device) -> array``; always a copy.
        to_host: ``(array) -> ndarray``; waits for the array; the host array may share memory (core makes it
            read-only).
        copy: ``(array, device) -> array`` of the same backend, on ``device``.
        empty: ``(shape, dtype, device) -> array`` with any contents.
        synchronize: ``(device) -> None``; waits until all queued work there is done.
        lift: ``(value) -> array`` of ``array_type``, for what a kernel returned (NumPy ufuncs return
            scalars for 0-d results).
        dtypes: names of the dtypes its arrays hold.
        kernels: its kernels.
        late_kernels: further kernels, by the family of their ops, such as ``"nn.losses"``; each value is a function
            ``() -> kernels`` that is called when an op of that family is first resolved on this backend. They are
            checked then; a wrong one raises RegistrationError from that call.
        extends: name of the backend it extends.
        probe: ``() -> Probe``; never raises; default: ready.
        exclusive: ``(array) -> bool``; whether the array owns its memory, so that with a single reference it may be
            written. Without it nothing is ever updated in place.
        memory_info: ``(device) -> MemoryInfo``; optional.
        compile: ``(graph) -> callable``; optional compiler for graphs.
        host: whether native arrays are NumPy arrays in the host's memory.
        automatic: whether ``auto`` may choose it.
        rank: among the ready backends ``auto`` takes the one with the highest rank.
    """

    def __init__(
        self,
        *,
        name: str,
        version: str = "",
        library: str = "",
        devices: Callable[[], Sequence[tuple[str, int]]] | None = None,
        array_type: type | None = None,
        from_host: Callable[[Any, Device], Any] | None = None,
        to_host: Callable[[Any], Any] | None = None,
        copy: Callable[[Any, Device], Any] | None = None,
        empty: Callable[[tuple[int, ...], Any, Device], Any] | None = None,
        synchronize: Callable[[Device], None] | None = None,
        lift: Callable[[Any], Any] | None = None,
        dtypes: Sequence[str] = (),
        kernels: Iterable[Kernel] = (),
        late_kernels: Mapping[str, Callable[[], Iterable[Kernel]]] | None = None,
        extends: str = "",
        probe: Callable[[], Probe] | None = None,
        exclusive: Callable[[Any], bool] | None = None,
        memory_info: Callable[[Device], MemoryInfo] | None = None,
        compile: Callable[..., Any] | None = None,
        host: bool = False,
        automatic: bool = True,
        rank: int = 0,
    ) -> None:
        self.name: str = name
        self.version: str = version
        self.library: str = library
        self.devices: Any = devices
        self.array_type: Any = array_type
        self.from_host: Any = from_host
        self.to_host: Any = to_host
        self.copy: Any = copy
        self.empty: Any = empty
        self.synchronize: Any = synchronize
        self.lift: Any = lift
        self.dtypes: tuple[str, ...] = tuple(dtypes)
        self.kernels: tuple[Kernel, ...] = tuple(kernels)
        self.late_kernels: dict[str, Callable[[], Iterable[Kernel]]] = dict(late_kernels or {})
        self.extends: str = extends
        self.probe: Any = probe if probe is not None else Probe
        self.exclusive: Any = exclusive
        self.memory_info: Any = memory_info
        self.compile: Any = compile
        self.host: bool = host
        self.automatic: bool = automatic
        self.rank: int = rank
        self.parent: Backend | None = None
        self.provider: str = ""

    def __repr__(self) -> str:
        return f"Backend({self.name!r}{f', extends={self.extends!r}' if self.extends else ''})"

    def chain(self) -> list[Backend]:
        """This backend and those it extends, nearest first."""
        found: list[Backend] = []
        backend: Backend | None = self
        while backend is not None:
            found.append(backend)
            backend = backend.parent
        return found

    def all_kernels(self) -> list[Kernel]:
        """Its own kernels, the late ones among them: new objects, loaded but not registered."""
        return [*self.kernels, *(kernel for load in self.late_kernels.values() for kernel in load())]

    def device_list(self) -> list[Device]:
        """All devices, in order; the first is the default one."""
        return [get_device(self.name, kind, index) for kind, count in self.devices() for index in range(count)]

    def info(self, device: Device) -> MemoryInfo:
        """Memory of ``device``, in bytes.

        Raises:
            MemoryInfoError: the backend keeps no count.
        """
        if self.memory_info is None:
            raise MemoryInfoError(
                f"backend {self.name!r} keeps no count of the memory on {device}.",
                expected="a backend with memory statistics",
                got=f"{self.name!r}, which offers no memory_info",
                fix="ask the operating system or the backend's own library instead",
            )
        found: MemoryInfo = self.memory_info(device)
        return found


def complete(backend: Backend, parent: Backend | None) -> None:
    """Check a backend's contract and take over what it inherits from ``parent``.

    Raises:
        BackendError: a required member is missing.
        RegistrationError: its name cannot be written in ``POLYTAPE_BACKEND``.
    """
    name = backend.name
    if not name or name != name.lower() or not name.replace("_", "a").replace("-", "a").isalnum():
        raise RegistrationError(
            f"{name!r} cannot be a backend's name.",
            expected="lower-case letters, digits, '-' and '_'",
            got=repr(name),
            fix="rename the backend, and its entry point with it",
        )
    if parent is not None:
        backend.parent = parent
        for member in _INHERITED:
            if getattr(backend, member) is None:
                setattr(backend, member, getattr(parent, member))
        if backend.array_type is None:
            backend.array_type = parent.array_type
            backend.host = parent.host
        backend.dtypes = backend.dtypes or parent.dtypes
    required = ("devices", "array_type", "from_host", "to_host", "copy", "empty", "synchronize", "lift")
    missing = [member for member in required if getattr(backend, member) is None]
    if not backend.dtypes:
        missing.append("dtypes")
    if missing:
        raise BackendError(
            f"backend {name!r} lacks {', '.join(missing)}.",
            expected="every required member of polytape.Backend, or extends= a backend that has them",
            got=f"{name!r} without {', '.join(missing)}",
            fix="give these members to Backend(...); its docstring says what each does",
        )
