"""The contract of a backend: the objects that a plugin creates to describe a backend and its kernels.

A backend is a value, not a subclass: it combines memory functions, a list of devices, and kernels that work on its own
native arrays. Core never makes a decision based on a backend's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .capabilities import Limits, MemoryInfo, Probe, Streams, listed
from .cluster import Cluster, Compiled, Number, Step, Value
from .device import Device, get_device, is_word
from .errors import BackendError, MemoryInfoError, RegistrationError
from .expression import Expression

__all__ = [
    "API_VERSION", "Backend", "Cluster", "Compiled", "Expression", "Kernel", "Limits", "MemoryInfo", "Number", "Probe",
    "Step", "Streams", "Value",
]  # fmt: skip

# The version of the plugin API; its major number is part of the entry-point groups' names (`polytape.backends.v1`).
API_VERSION: Final = "1.0"


if TYPE_CHECKING:
    from typing import TypedDict

    class KernelOptions(TypedDict, total=False):
        """The keyword arguments of `Kernel` that `polytape.kernel` takes as well."""

        devices: Sequence[str]
        dtypes: Sequence[str | tuple[str, ...]]
        when: Callable[..., bool] | None
        priority: int
        checked: bool
        writes: Sequence[str]
        fresh: bool
        out: bool
        atomic: bool
        native_indexing: bool


class Kernel:
    """One implementation of an op for a backend: a pure function on native arrays.

    Args:
        op: the op's name, for example ``"matmul"``.
        fn: ``(*arrays, **attributes) -> array``; for an op with several outputs, it returns a tuple of arrays. Defaults
            of attributes must equal the op's. Core passes only the attributes that the caller gave, except ``dtype``
            and ``device``: if the op has them, they are always passed, already resolved.
        devices: device kinds that the kernel supports, such as ``("cpu",)``; empty means every kind of its backend.
        dtypes: dtypes that the kernel supports; it serves a call that matches at least one entry. An entry is the name
            of a dtype, or of a kind of dtypes such as ``"floating"`` or ``"any"``, and applies to all operands that
            promote together (to the first operand if none do); or it is a tuple of such names, one per operand.
        when: optional predicate ``(*arrays, **attributes) -> bool``; the kernel serves only the calls for which it
            returns True. It gets the same arrays as ``fn``, and the same attributes except ``dtype`` and ``device``.
        priority: kernels with a higher priority are tried first.
        checked: whether ``fn`` itself raises on every invalid combination of shapes. If False, core runs the op's shape
            rule first, and passes the expected outputs as the keyword ``spec``: a tuple with one ``(shape, dtype)`` per
            output.
        writes: names of the operands that ``fn`` overwrites with its outputs, in the order of the outputs.
        fresh: whether the result never shares memory with an operand, so that a graph may reuse it as a temporary.
        out: whether ``fn`` accepts a keyword ``out``: an array of the result's shape and dtype that receives the
            result. Implies ``fresh``.
        atomic: whether ``fn`` runs no Python code from its first write into an operand of ``writes`` until it returns,
            and cannot fail in between: it is one native call, or compiled. Python code runs signal handlers, and a
            warning is Python code. Core lets such a kernel overwrite a variable's own buffer; any other kernel gets a
            copy, which core then puts into the variable.
        operator: for two operands without attributes: the Python operator, such as ``"*"``, that gives the same bits on
            scalars of the backend's library. An array of shape () gives its scalar by ``array[()]``, and ``lift`` makes
            an array of it. Graphs use it between results of shape ().
        specialise: optional: ``(operands, attributes) -> Expression or None``. Called once for each call of the kernel
            in a traced function, with the shape and dtype of each operand (`Value`; None for an optional operand that
            is not given) and the attributes that ``fn`` would get. The `Expression` gives the same bits as ``fn``; its
            result shares no memory with an operand if the kernel is ``fresh``.
        native_indexing: for ``getitem`` and ``setitem`` only: given a key of integers, slices, None and ``...``, the
            kernel does what ``array[key]`` or ``array[key] = value`` of the native arrays does, by NumPy's rules and
            without delay. Core then indexes the arrays itself.
        backend: name of the backend that the kernel is for; needed only in a plugin that adds kernels to a backend of
            another distribution.
    """

    __slots__ = (
        "atomic", "backend", "checked", "devices", "dtypes", "fn", "fresh", "native_indexing", "op", "operator", "out",
        "priority", "provider", "specialise", "when", "writes",
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
        atomic: bool = False,
        operator: str = "",
        specialise: Callable[[tuple[Value | None, ...], dict[str, Any]], Expression | None] | None = None,
        native_indexing: bool = False,
        backend: str = "",
    ) -> None:
        self.op: str = op
        self.fn: Any = fn
        self.devices: tuple[str, ...] = listed("devices", devices)
        self.dtypes: tuple[str | tuple[str, ...], ...] = listed("dtypes", dtypes)
        self.when: Any = when
        self.priority: int = priority
        self.checked: bool = checked
        self.writes: tuple[str, ...] = listed("writes", writes)
        self.fresh: bool = fresh or out
        self.out: bool = out
        self.atomic: bool = atomic
        self.operator: str = operator
        self.specialise: Any = specialise
        self.native_indexing: bool = native_indexing
        self.backend: str = backend
        self.provider: str = ""  # the distribution that it comes from, or "in-process"; set at registration

    def __repr__(self) -> str:
        target = f"{self.backend or '?'}:{'|'.join(self.devices) or '*'}"
        name = getattr(self.fn, "__name__", type(self.fn).__name__)
        extra = "".join(
            f", {text}"
            for text, shown in (
                (f"when={getattr(self.when, '__name__', 'predicate')}", self.when is not None),
                (f"priority={self.priority}", self.priority != 0),
                ("unchecked", not self.checked),
                (f"writes={', '.join(self.writes)}", bool(self.writes)),
                ("atomic", self.atomic),
                (f"from {self.provider}", self.provider != ""),
            )
            if shown
        )
        return f"Kernel({self.op!r}, {name}, {target}, {self.dtypes}{extra})"


# A backend that extends another inherits these members if it does not define them itself.
_INHERITED: Final = (
    "devices", "from_host", "to_host", "copy", "empty", "synchronize", "lift", "exclusive", "memory_info",
    "to_dlpack", "from_dlpack", "dlpack_device", "streams", "compile",
)  # fmt: skip


class Backend:
    """One backend: devices, memory and kernels.

    A backend may extend another one: it then uses the arrays, memory functions and kernels of that backend, and only
    needs a ``name`` and the kernels that it does better. A backend that extends none must define ``devices``,
    ``array_type``, ``from_host``, ``to_host``, ``copy``, ``empty``, ``synchronize``, ``lift`` and ``dtypes``.

    Args:
        name: lower-case name, used in ``POLYTAPE_BACKEND`` and as the name of the entry point.
        version: the backend's own version, shown by ``polytape backends``.
        library: the library that the backend uses and its version, such as ``"numpy 2.4.6"``.
        devices: ``() -> [(kind, count), ...]``, for example ``[("cpu", 1)]``. The first device is the default.
        array_type: the type of the native arrays. Its instances must have ``.shape`` (tuple of int) and ``.dtype``
            (NumPy dtype) as soon as they exist, even if the computation of their values is still queued.
        from_host: ``(ndarray, device) -> array``; always copies.
        to_host: ``(array) -> ndarray``; waits until the values are computed. The result may share memory with the
            array; core makes it read-only.
        copy: ``(array, device) -> array``; copies an array of this backend to ``device``.
        empty: ``(shape, dtype, device) -> array`` with arbitrary values.
        synchronize: ``(device) -> None``; waits until all work queued on ``device`` is done.
        lift: ``(value) -> array``; converts a kernel's result that is not an ``array_type`` (NumPy ufuncs, for example,
            return scalars for 0-d results).
        dtypes: names of the dtypes that the native arrays support.
        kernels: the backend's kernels.
        late_kernels: more kernels, loaded on demand: a mapping from a family of ops, such as ``"nn.losses"``, to a
            function ``() -> kernels``. The function is called when an op of that family is first resolved on this
            backend. Its kernels are checked at that time; an invalid one raises RegistrationError from the op's call.
        extends: name of the backend that this one extends.
        probe: ``() -> Probe``; must not raise. By default the backend is ready.
        exclusive: ``(array) -> bool``; whether the array owns its memory. Core writes into a variable's array only if
            this returns True and there is no other reference to it. If not defined, variables are never updated in
            place.
        memory_info: ``(device) -> MemoryInfo``; optional.
        to_dlpack, from_dlpack, dlpack_device: optional; with them, tensors and arrays of other libraries are exchanged
            by DLPack without a copy to the host. ``to_dlpack``: ``(array, *, stream, max_version) -> capsule``, where
            the keywords are those of ``__dlpack__``. ``from_dlpack``: ``(object, device) -> array``, which shares the
            memory of an object with ``__dlpack__``. ``dlpack_device``: ``(device) -> (type, number)`` in DLPack.
        streams: optional, for a backend with several queues of work per device. ``to_host`` must wait for an array's
            writer on whichever stream, and an error of queued work must be raised by every read of what it should have
            computed: never is unfinished or failed work read as data.
        compile: ``(cluster) -> function or None``; optional. Called once for each cluster of equations of a traced
            function (`Cluster`): with reductions first, then, if it returns None, for the parts between these. The
            function takes the native arrays of the cluster's inputs and returns a new array, or a tuple with one per
            output, that shares no memory with them; it must give what the steps' kernels give one after another. If it
            has a true attribute ``out``, it accepts a keyword ``out``: an array of the only result's shape and dtype,
            which may be an input; it may receive the result, which is returned. None: the backend that this one extends
            is asked, if any; at last, the steps run one by one.
        host: whether the native arrays are NumPy arrays in the host's memory.
        automatic: whether ``auto`` may choose this backend.
        rank: ``auto`` chooses the ready backend with the highest rank.
        host_ops: names of ops that the host computes where this backend has no kernel, with copies both ways: those
            that its hardware does badly, such as factorizations of matrices. Users need not allow it, since you do.
        limits: what the backend cannot do, for the conformance kit.
    """

    devices: Any
    array_type: Any
    exclusive: Any
    compile: Any
    memory_info: Any
    streams: Any
    to_dlpack: Any
    from_dlpack: Any
    dlpack_device: Any
    parent: Backend | None = None  # the backend that this one extends, once it is registered
    provider: str = ""  # the distribution that it comes from

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
        to_dlpack: Callable[..., Any] | None = None,
        from_dlpack: Callable[[Any, Device], Any] | None = None,
        dlpack_device: Callable[[Device], tuple[int, int]] | None = None,
        streams: Streams | None = None,
        compile: Callable[[Cluster], Compiled | None] | None = None,
        host: bool = False,
        automatic: bool = True,
        rank: int = 0,
        host_ops: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.name, self.version, self.library = name, version, library
        self.devices, self.array_type = devices, array_type
        self.from_host: Any = from_host
        self.to_host: Any = to_host
        self.copy: Any = copy
        self.empty: Any = empty
        self.synchronize: Any = synchronize
        self.lift: Any = lift
        self.dtypes: tuple[str, ...] = listed("dtypes", dtypes)
        self.kernels: tuple[Kernel, ...] = tuple(kernels)
        self.late_kernels: dict[str, Callable[[], Iterable[Kernel]]] = dict(late_kernels or {})
        self.extends: str = extends
        self.probe: Any = probe if probe is not None else Probe
        self.exclusive, self.memory_info, self.streams, self.compile = exclusive, memory_info, streams, compile
        self.to_dlpack, self.from_dlpack, self.dlpack_device = to_dlpack, from_dlpack, dlpack_device
        self.host, self.automatic, self.rank = host, automatic, rank
        self.host_ops: tuple[str, ...] = listed("host_ops", host_ops)
        self.limits: Limits = limits if limits is not None else Limits()

    def __repr__(self) -> str:
        return f"Backend({self.name!r}{f', extends={self.extends!r}' if self.extends else ''})"

    def chain(self) -> list[Backend]:
        """This backend, followed by the backends that it extends, nearest first."""
        backends: list[Backend] = []
        backend: Backend | None = self
        while backend is not None:
            backends.append(backend)
            backend = backend.parent
        return backends

    def leaves_to_host(self, op: str) -> bool:
        """Whether this backend, or one that it extends, lets the host compute an op without a kernel."""
        return any([op in backend.host_ops for backend in self.chain()])

    def all_kernels(self) -> list[Kernel]:
        """All kernels of this backend, including ``late_kernels``, which are loaded but not registered."""
        return [*self.kernels, *(kernel for load in self.late_kernels.values() for kernel in load())]

    def device_list(self) -> list[Device]:
        """All devices, in order; the first one is the default."""
        return [get_device(self.name, kind, index) for kind, count in self.devices() for index in range(count)]

    def constant(self, host: Any, device: Device) -> Any:
        """A copy of a host array that may be used on every stream from now on, without an event."""
        streams = self.streams
        if streams is None:
            return self.from_host(host, device)
        # On a stream of its own, so that only this transfer is waited for.
        stream = streams.create(device)
        before = streams.use(device, stream)
        try:
            array = self.from_host(host, device)
        finally:
            streams.use(device, before)
        streams.synchronize(stream)
        return array

    def info(self, device: Device) -> MemoryInfo:
        """The memory of ``device``, in bytes.

        Raises:
            MemoryInfoError: the backend does not report memory use.
        """
        if self.memory_info is None:
            raise MemoryInfoError(
                f"backend {self.name!r} does not report memory use on {device}.",
                expected="a backend that defines memory_info",
                got=f"{self.name!r}, which does not define it",
                fix="use the tools of the operating system or of the backend's own library",
            )
        memory: MemoryInfo = self.memory_info(device)
        return memory


def complete(backend: Backend, parent: Backend | None) -> None:
    """Fill in the members that ``backend`` inherits from ``parent``, and check that none is missing.

    Raises:
        BackendError: a required member is missing.
        RegistrationError: the name is not valid: it could not be written in ``POLYTAPE_BACKEND``.
    """
    name = backend.name
    if not is_word(name) or name != name.lower():
        raise RegistrationError(
            f"{name!r} is not a valid backend name.",
            expected="a lower-case letter, then lower-case letters, digits, '-' and '_'",
            got=repr(name),
            fix="rename the backend and its entry point",
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
            f"backend {name!r} does not define {', '.join(missing)}.",
            expected="all required members of polytape.Backend, or extends= the name of a backend that has them",
            got=f"{name!r} without {', '.join(missing)}",
            fix="pass these members to Backend(...); its docstring describes them",
        )


def normalise(dist: str) -> str:
    """The normalised form of a distribution's name, for comparison (PEP 503)."""
    parts = dist.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)
