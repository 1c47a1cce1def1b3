"""Backends as plugins: which are installed, how one is loaded, and why another cannot be used.

A plugin is imported only when its backend is requested. Any exception that it raises becomes that backend's status, so
a broken plugin never breaks the import of polytape or of another plugin.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from time import perf_counter
from typing import Any, Final

from ..backend import Backend, complete
from ..errors import BackendError, RegistrationError
from ..registry import tables
from .discovery import BACKENDS, KERNELS, OWN, EntryPoint, PluginFilter, normalise, read_filter, scan
from .statuses import CATALOGUE, BackendStatus, describe_failure, say_absent, say_clash, say_left_out, unknown, unusable

__all__ = [
    "BackendStatus",
    "RegisteredBackend",
    "backends",
    "get_backend",
    "host_backend",
    "installed",
    "is_known",
    "loaded",
    "refresh",
    "register_backend",
    "warnings_of_filter",
]


class _Record:
    """The plugin of one backend name, and the outcome of the last attempt to load it."""

    def __init__(self, name: str) -> None:
        self.status: BackendStatus = BackendStatus(name)
        self.entry: EntryPoint | None = None
        self.backend: Backend | None = None
        self.attached: list[str] = []  # kernel plugins already tried, successfully or not


class _State:
    """The state of this module. ``entries`` and ``records`` are replaced, never mutated: reading needs no lock."""

    def __init__(self) -> None:
        self.lock: Any = RLock()
        self.entries: tuple[EntryPoint, ...] | None = None
        self.filter: PluginFilter = PluginFilter("")
        self.records: dict[str, _Record] = {}
        self.loading: list[str] = []


_state: Final = _State()

if hasattr(os, "register_at_fork"):
    # A child must not inherit a half-loaded plugin, so fork() waits until no other thread is loading one.
    os.register_at_fork(
        before=_state.lock.acquire, after_in_parent=_state.lock.release, after_in_child=_state.lock.release
    )


def installed() -> tuple[EntryPoint, ...]:
    """The plugins found on ``sys.path``; scanned once, at first use."""
    entries = _state.entries
    return _scan() if entries is None else entries


def _scan() -> tuple[EntryPoint, ...]:
    with _state.lock:
        _state.filter = read_filter()
        _state.entries = scan()
        return _state.entries


def is_known(name: str) -> bool:
    """Whether ``name`` is a backend: registered in this process, installed, or one of polytape's own."""
    if name in tables.ready() or name in CATALOGUE:
        return True
    return any(entry.name == name for entry in installed() if entry.group == BACKENDS)


def warnings_of_filter() -> list[str]:
    """Items of ``POLYTAPE_PLUGINS`` that match no installed plugin."""
    return _state.filter.unmatched(installed())


# --- What is known from metadata alone ---


def _claims(name: str) -> list[EntryPoint]:
    return [entry for entry in installed() if entry.group == BACKENDS and entry.name == name]


def _examine(name: str) -> _Record:
    """A new record with the entry point to load, or with a status that says why there is none."""
    record = _Record(name)
    status = record.status
    claims = _claims(name)
    usable = [entry for entry in claims if entry.readable and not _state.filter.blocks(entry)]
    candidates = [entry for entry in usable if _state.filter.picks(entry)] or usable
    if len(candidates) == 1:
        record.entry = candidates[0]
    elif candidates:
        say_clash(status, candidates)
    elif claims:
        say_left_out(status, claims, _state.filter.text)
    else:
        say_absent(status, any(normalise(entry.dist) == OWN for entry in installed()))
    shown = record.entry or (claims[0] if claims else None)
    if shown is not None:
        status.distribution = status.distribution or shown.dist
        status.version = shown.version
    return record


# --- Loading ---


def get_backend(name: str) -> Backend:
    """The backend of that name, loaded if necessary.

    Raises:
        BackendError: it is not installed, or cannot be used; the error gives the reason and the remedy.
    """
    backend = tables.ready().get(name)
    if backend is not None:
        return backend
    record = _attempt(name.lower())
    if record.backend is None or record.status.status != "ready":
        raise _unusable(record.status)
    return record.backend


def host_backend() -> Backend:
    """The backend ``numpy``: used if no other backend is chosen, and for ops that fall back to the host.

    Raises:
        BackendError: polytape is not installed properly.
    """
    return get_backend("numpy")


def _attempt(name: str) -> _Record:
    with _state.lock:
        known = _state.records.get(name)
        if known is not None and known.status.status == "ready":
            return known
        if name in _state.loading:
            raise BackendError(
                f"backend {name!r} was requested while it was being loaded.",
                expected="plugins that do not use a backend while they are imported",
                got=" -> ".join([*_state.loading, name]),
                fix="move that code into a function of the plugin",
            )
        first_scan = _state.entries is None
        record = _examine(name)
        if record.status.status == "absent" and record.entry is None and not first_scan:
            _scan()  # it may have been installed since the last scan
            record = _examine(name)
        _state.records = {**_state.records, name: record}
        if record.entry is not None:
            _load(record, record.entry)
        return record


def _load(record: _Record, entry: EntryPoint) -> None:
    handled = sys.exc_info()[1]  # what the caller is already handling is not a cause of a failure here
    started = perf_counter()
    _state.loading.append(entry.name)
    try:
        from . import hookspecs

        _adopt(record, hookspecs.backend_of(entry), entry.dist)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        describe_failure(record.status, entry, error, handled)
    finally:
        _state.loading.pop()
        record.status.load_time_s = perf_counter() - started


def _adopt(record: _Record, backend: Backend, provider: str) -> None:
    """Complete, check, register and publish a backend; if it is not ready, only fill in its status."""
    status = record.status
    record.backend = backend
    backend.provider = provider
    status.version = backend.version = backend.version or status.version
    status.library = backend.library
    probe = backend.probe()
    parent = get_backend(backend.extends) if backend.extends and probe.ready else None
    if probe.ready:
        complete(backend, parent)
        status.devices = tuple(backend.device_list())
    if not status.devices:
        status.status = probe.missing if not probe.ready else "no-device"
        status.reason = probe.reason or "the backend lists no devices"
        status.remedy = probe.remedy or f"see the documentation of {provider}"
        return
    tables.add_backend(backend, provider)
    status.status = "ready"
    status.automatic = backend.automatic
    status.rank = backend.rank
    tables.publish({**tables.ready(), backend.name: backend})
    _attach_kernels(record)


def _attach_kernels(record: _Record) -> None:
    """Load the kernel plugins named after a backend; sorted, so that the same plugin always wins a tie."""
    name = record.status.name
    entries = [entry for entry in installed() if entry.group == KERNELS and entry.name == name]
    for entry in sorted(entries, key=lambda entry: normalise(entry.dist)):
        if normalise(entry.dist) in record.attached or _state.filter.blocks(entry):
            continue
        record.attached.append(normalise(entry.dist))
        status = BackendStatus(name)
        handled = sys.exc_info()[1]
        try:
            from . import hookspecs

            tables.add_kernels(hookspecs.kernels_of(entry), entry.dist)
            record.status.kernels_from = (*record.status.kernels_from, entry.dist)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            describe_failure(status, entry, error, handled)
            record.status.disabled = (*record.status.disabled, f"{entry.dist}: {status.reason}")
            record.status.traceback += status.traceback


# --- Names, and the error for a backend that cannot be used ---


def _states() -> dict[str, str]:
    """The state of every known backend by name, without loading any."""
    states = {}
    for name in _names():
        record = _state.records.get(name)
        state = (record if record is not None else _examine(name)).status.status
        # From metadata alone, a backend that is installed but was not requested yet has the status "absent" too.
        states[name] = "not loaded yet" if record is None and state == "absent" and _claims(name) else state
    return states


def _unusable(status: BackendStatus) -> BackendError:
    if status.status == "absent" and status.name not in CATALOGUE:
        return unknown(status.name, _states())
    return unusable(status)


def _names() -> list[str]:
    """The names of all known backends: polytape's own first, then the others in alphabetical order."""
    others = {entry.name for entry in installed() if entry.group == BACKENDS} | set(tables.ready())
    return [*CATALOGUE, *sorted(others - set(CATALOGUE))]


# --- Public functions ---


def backends() -> list[BackendStatus]:
    """The status of every backend that is installed or one of polytape's own; loads them all to find out."""
    statuses = []
    with _state.lock:
        for name in _names():
            record = _attempt(name)
            status = record.status
            if record.backend is not None and status.status == "ready":
                status.native, status.decomposed, status.missing = _coverage(record.backend)
            statuses.append(status)
    return statuses


def _coverage(backend: Backend) -> tuple[int, int, int]:
    """How many ops a backend serves natively (its parents included), by decomposition, and not at all."""
    names = [member.name for member in backend.chain()]
    native = decomposed = missing = 0
    for op in tables.ops().values():
        if any(tables.kernels_of(name, op.name) for name in names):
            native += 1
        elif not op.primitive:
            decomposed += 1
        else:
            missing += 1
    return native, decomposed, missing


def loaded() -> tuple[Backend, ...]:
    """The backends that are loaded and ready now."""
    return tuple(tables.ready().values())


def refresh() -> None:
    """Search for plugins again, including newly installed ones, and forget earlier failures to load.

    Backends that are ready stay; new kernel plugins for them are loaded.
    """
    import importlib

    importlib.invalidate_caches()
    with _state.lock:
        _scan()
        _state.records = {name: record for name, record in _state.records.items() if name in tables.ready()}
        for record in _state.records.values():
            record.attached = [normalise(dist) for dist in record.status.kernels_from]
            record.status.disabled = ()
            record.status.traceback = ""
            _attach_kernels(record)


class RegisteredBackend:
    """A backend registered in this process; as a context manager, it removes the backend at the end of the block."""

    def __init__(self, backend: Backend) -> None:
        self.backend: Final = backend

    def __repr__(self) -> str:
        return f"RegisteredBackend({self.backend.name!r})"

    def __enter__(self) -> Backend:
        return self.backend

    def __exit__(self, *exc_info: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the backend and its kernels; its tensors can no longer be used in computations."""
        name = self.backend.name
        with _state.lock:
            if tables.ready().get(name) is self.backend:
                tables.remove_backend(name)
                tables.publish({key: value for key, value in tables.ready().items() if key != name})
                _state.records = {key: value for key, value in _state.records.items() if key != name}


def register_backend(backend: Backend) -> RegisteredBackend:
    """Register a backend in this process; its provider is shown as ``in-process``.

    Args:
        backend: the backend; ``with polytape.register_backend(backend):`` removes it at the end of the block.
    Raises:
        RegistrationError: its name is taken, or one of its kernels does not fit any op.
        BackendError: it violates the contract, or is not ready.
    """
    with _state.lock:
        record = _examine(backend.name)
        if backend.name in tables.ready() or record.entry is not None:
            provider = (
                tables.ready()[backend.name].provider if backend.name in tables.ready() else record.status.distribution
            )
            raise RegistrationError(
                f"the backend name {backend.name!r} is taken.",
                expected="a name that no other backend uses",
                got=f"{backend.name!r}, which {provider} provides",
                fix=f"choose another name, or exclude that plugin with POLYTAPE_PLUGINS=-{normalise(provider)}",
            )
        record = _Record(backend.name)
        record.status.distribution = tables.IN_PROCESS
        _adopt(record, backend, tables.IN_PROCESS)
        if record.status.status != "ready":
            raise _unusable(record.status)
        _state.records = {**_state.records, backend.name: record}
        return RegisteredBackend(backend)
