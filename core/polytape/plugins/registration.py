"""Backends registered in this process, and the search for plugins that were installed after it started."""

from __future__ import annotations

from typing import Final

from ..backend import Backend, normalise
from ..errors import RegistrationError
from ..registry import tables
from .loading import Record, adopt, attach_kernels, examine, not_ready, rescan, state

__all__ = ["RegisteredBackend", "refresh", "register_backend"]


def refresh() -> None:
    """Search for plugins again, including newly installed ones, and forget earlier failures to load.

    Backends that are ready stay; new kernel plugins for them are loaded.
    """
    import importlib

    importlib.invalidate_caches()
    with state.lock:
        rescan()
        state.records = {name: record for name, record in state.records.items() if name in tables.ready()}
        for record in state.records.values():
            record.attached = [normalise(dist) for dist in record.status.kernels_from]
            record.status.disabled = ()
            record.status.traceback = ""
            attach_kernels(record)


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
        with state.lock:
            if tables.ready().get(name) is self.backend:
                tables.remove_backend(name)
                tables.publish({key: value for key, value in tables.ready().items() if key != name})
                state.records = {key: value for key, value in state.records.items() if key != name}


def register_backend(backend: Backend) -> RegisteredBackend:
    """Register a backend in this process; its provider is shown as ``in-process``.

    Args:
        backend: the backend; ``with polytape.register_backend(backend):`` removes it at the end of the block.
    Raises:
        RegistrationError: its name is taken, or one of its kernels does not fit any op.
        BackendError: it violates the contract, or is not ready.
    """
    with state.lock:
        record = examine(backend.name)
        if backend.name in tables.ready() or record.entry is not None:
            raise _taken(backend.name, record)
        record = Record(backend.name)
        record.status.distribution = tables.IN_PROCESS
        adopt(record, backend, tables.IN_PROCESS, own=False)
        if record.status.status != "ready":
            raise not_ready(record.status)
        state.records = {**state.records, backend.name: record}
        return RegisteredBackend(backend)


def _taken(name: str, record: Record) -> RegistrationError:
    ready = tables.ready().get(name)
    provider = record.status.distribution if ready is None else ready.provider
    fix = "choose another name"
    if record.entry is not None and not record.entry.own:
        fix += f", or exclude that plugin with POLYTAPE_PLUGINS=-{normalise(provider)}"
    return RegistrationError(
        f"the backend name {name!r} is taken.",
        expected="a name that no other backend uses",
        got=f"{name!r}, which {provider} provides",
        fix=fix,
    )
