"""The status of every backend, and what is wrong with installed plugins and the settings for them."""

from __future__ import annotations

from ..backend import Backend
from ..registry import tables
from .loading import Record, attempt, installed, names, run_harmless, state
from .statuses import BackendStatus

__all__ = ["BackendStatus", "backends", "loaded", "problems", "warnings_of_filter"]


def backends() -> list[BackendStatus]:
    """The status of every backend that is installed or one of polytape's own; loads them all to find out."""
    statuses = []
    with state.lock:
        for name in names():
            record = attempt(name)
            status = record.status
            if status.status == "ready":
                _count_ops(record)
            statuses.append(status)
    return statuses


def _count_ops(record: Record) -> None:
    """Fill in the counts of ops; this loads the backend's late kernels, whose failure is reported."""
    backend, status = record.backend, record.status
    assert backend is not None

    def count() -> None:
        status.native, status.decomposed, status.missing = _coverage(backend)

    if record.entry is None:
        count()  # registered in this process, so its errors are the caller's
    else:
        status.disabled = tuple(line for line in status.disabled if line not in record.late)
        if not run_harmless(record, record.entry, count):
            record.late = status.disabled[-1:]


def _coverage(backend: Backend) -> tuple[int, int, int]:
    """How many ops a backend serves natively (its parents included); by decomposition, or the host; and not at all."""
    chain = [member.name for member in backend.chain()]
    native = decomposed = missing = 0
    for op in tables.ops().values():
        if any(tables.kernels_of(name, op.name) for name in chain):
            native += 1
        elif not op.primitive or backend.leaves_to_host(op.name):
            decomposed += 1
        else:
            missing += 1
    return native, decomposed, missing


def loaded() -> tuple[Backend, ...]:
    """The backends that are loaded and ready now."""
    return tuple(tables.ready().values())


def warnings_of_filter() -> list[str]:
    """Items of ``POLYTAPE_PLUGINS`` that match no installed plugin."""
    entries = installed()  # first: it reads the filter
    return [] if state.filter is None else state.filter.unmatched(entries)


def problems() -> tuple[str, ...]:
    """What is wrong with the metadata of installed plugins, one line each; what is wrong was ignored."""
    installed()
    return state.problems
