"""Loading a backend: from what is known from metadata to a registered backend, or to the reason why it cannot be used.

A plugin is imported only when its backend is requested. Any exception that it raises becomes that backend's status, so
a broken plugin never breaks the import of polytape or of another plugin.
"""

from __future__ import annotations

import copyreg
import os
import sys
from _thread import RLock
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ..backend import Backend, Probe, complete, normalise
from ..errors import BackendError, PluginError
from ..registry import tables
from .discovery import BACKENDS, KERNELS, EntryPoint, scan
from .statuses import (
    CATALOGUE,
    BackendStatus,
    describe_failure,
    one_line,
    say_absent,
    say_clash,
    say_left_out,
    unknown,
    unusable,
)

if TYPE_CHECKING:
    from .plugin_filter import PluginFilter

__all__ = ["get_backend", "host_backend", "installed", "is_known", "observe"]


class Record:
    """The plugin of one backend name, and the outcome of the last attempt to load it."""

    def __init__(self, name: str) -> None:
        self.status: BackendStatus = BackendStatus(name)
        self.entry: EntryPoint | None = None
        self.backend: Backend | None = None
        self.attached: list[str] = []  # kernel plugins already tried, successfully or not
        self.late: tuple[str, ...] = ()  # why the backend's late kernels could not be loaded


class _State:
    """The state of this module. ``entries`` and ``records`` are replaced, never mutated: reading needs no lock."""

    def __init__(self) -> None:
        self.lock: Any = RLock()
        self.entries: tuple[EntryPoint, ...] | None = None
        self.problems: tuple[str, ...] = ()  # with the metadata of plugins
        self.filter: PluginFilter | None = None
        self.records: dict[str, Record] = {}
        self.loading: list[str] = []
        self.running: list[EntryPoint] = []  # the plugins whose code runs now, innermost last
        self.observer: Callable[[Sequence[EntryPoint]], None] | None = None  # see `observe`


state: Final = _State()

if hasattr(os, "register_at_fork"):
    # A child must not inherit a half-loaded plugin, so fork() waits until no other thread is loading one.
    os.register_at_fork(
        before=state.lock.acquire, after_in_parent=state.lock.release, after_in_child=state.lock.release
    )


def installed() -> tuple[EntryPoint, ...]:
    """The plugins found on ``sys.path``; scanned once, at first use."""
    entries = state.entries
    return rescan() if entries is None else entries


def rescan() -> tuple[EntryPoint, ...]:
    """The plugins on ``sys.path`` now, and ``POLYTAPE_PLUGINS`` as it is now."""
    with state.lock:
        state.filter = None
        if os.environ.get("POLYTAPE_PLUGINS"):
            from .plugin_filter import read_filter

            state.filter = read_filter()
        found: list[str] = []
        state.entries = scan(problems=found)
        state.problems = tuple(found)
        return state.entries


def _blocked(entry: EntryPoint) -> bool:
    return state.filter is not None and state.filter.blocks(entry)


def is_known(name: str) -> bool:
    """Whether ``name`` is a backend: registered in this process, installed, or one of polytape's own."""
    if name in tables.ready() or name in CATALOGUE:
        return True
    return any(entry.name == name for entry in installed() if entry.group == BACKENDS)


# --- What is known from metadata alone ---


def _claims(name: str) -> list[EntryPoint]:
    return [entry for entry in installed() if entry.group == BACKENDS and entry.name == name]


def examine(name: str) -> Record:
    """A new record with the entry point to load, or with a status that says why there is none."""
    record = Record(name)
    status = record.status
    claims = _claims(name)
    usable = [entry for entry in claims if entry.readable and not _blocked(entry)]
    picked = [entry for entry in usable if state.filter is not None and state.filter.picks(entry)]
    candidates = picked or [entry for entry in usable if entry.own] or usable
    if len(candidates) == 1:
        record.entry = candidates[0]
        status.ignored = tuple(entry.dist for entry in usable if entry is not record.entry)
    elif candidates:
        say_clash(status, candidates)
    elif claims:
        say_left_out(status, claims, "" if state.filter is None else state.filter.text)
    else:
        say_absent(status, any(entry.own for entry in installed()))
    shown = record.entry or (claims[0] if claims else None)
    if shown is not None:
        status.distribution = status.distribution or shown.dist
        status.version = shown.version
    return record


# --- Loading ---

# The statuses that a probe can give a backend.
MISSING: Final = ("absent", "import-failed", "no-device")


def get_backend(name: str) -> Backend:
    """The backend of that name, loaded if necessary.

    Raises:
        BackendError: it is not installed, or cannot be used; the error gives the reason and the remedy.
    """
    backend = tables.ready().get(name)
    if backend is not None:
        return backend
    record = attempt(name.lower())
    if record.backend is None or record.status.status != "ready":
        raise not_ready(record.status)
    return record.backend


def _by_name(backend: Backend) -> tuple[Callable[[str], Backend], tuple[str]]:
    """How a backend is pickled and copied: as a reference."""
    return get_backend, (backend.name,)


copyreg.pickle(Backend, _by_name)


def host_backend() -> Backend:
    """The backend ``numpy``: used if no other backend is chosen, and for ops that fall back to the host.

    Raises:
        BackendError: polytape is not installed properly.
    """
    return get_backend("numpy")


def attempt(name: str) -> Record:
    """The record of a backend, which is loaded if it is not ready yet."""
    with state.lock:
        known = state.records.get(name)
        if known is not None and known.status.status == "ready":
            return known
        if name in state.loading:
            raise BackendError(
                f"backend {name!r} was requested while it was being loaded.",
                expected="plugins that do not use a backend while they are imported",
                got=" -> ".join([*state.loading, name]),
                fix="move that code into a function of the plugin",
            )
        first_scan = state.entries is None
        record = examine(name)
        if record.status.status == "absent" and record.entry is None and not first_scan:
            rescan()  # it may have been installed since the last scan
            record = examine(name)
        state.records = {**state.records, name: record}
        if record.entry is not None:
            _load(record, record.entry)
        return record


def observe(observer: Callable[[Sequence[EntryPoint]], None] | None) -> None:
    """Call ``observer`` whenever the code of a plugin begins or ends to run, with those that run, innermost last.

    An error that it raises when a plugin begins becomes the plugin's failure, and so does a KeyboardInterrupt of the
    plugin: `polytape.cli.survey`, which ignores SIGINT, limits the time of each plugin in this way.
    """
    state.observer = observer


def _run(entry: EntryPoint, action: Callable[[], object]) -> BaseException | None:
    """Run the code of a plugin; return the exception that it raised, if any."""
    observer = state.observer
    state.running.append(entry)
    try:
        if observer is not None:
            observer(state.running)
        action()
    except KeyboardInterrupt as error:
        if observer is not None:
            return error
        error.add_note(f"polytape was loading {entry.value}, a plugin of {entry.dist}")
        raise
    except BaseException as error:
        return error
    finally:
        state.running.pop()
        if observer is not None:
            observer(state.running)
    return None


def _load(record: Record, entry: EntryPoint) -> None:
    handled = sys.exc_info()[1]  # what the caller is already handling is not a cause of a failure here
    started = perf_counter()
    state.loading.append(entry.name)

    def load() -> None:
        from . import hookspecs

        if state.filter is not None and state.filter.none:
            hookspecs.check_own(entry)
        adopt(record, hookspecs.backend_of(entry), entry.dist, entry.own)

    try:
        error = _run(entry, load)
    finally:
        state.loading.pop()
    if error is not None:
        describe_failure(record.status, entry, error, handled)
    record.status.load_time_s = perf_counter() - started


def adopt(record: Record, backend: Backend, provider: str, own: bool) -> None:
    """Complete, check, register and publish a backend; if it is not ready, only fill in its status."""
    status = record.status
    record.backend = backend
    backend.provider = provider
    status.version = backend.version = one_line(backend.version) or status.version
    status.library = one_line(backend.library)
    probe = backend.probe()
    if not isinstance(probe, Probe):
        raise PluginError(
            f"the probe of backend {backend.name!r} returned {one_line(probe)}.",
            expected="a polytape.Probe",
            got=type(probe).__name__,
            fix="return polytape.Probe(), or polytape.Probe(False, reason, remedy)",
        )
    parent = get_backend(backend.extends) if backend.extends and probe.ready else None
    if probe.ready:
        complete(backend, parent)
        if not own:  # polytape's own are checked by its tests
            from ..registry.backend_checks import check_backend

            check_backend(backend)
        status.devices = tuple(backend.device_list())
    if not status.devices:
        status.status = probe.missing if not probe.ready and probe.missing in MISSING else "no-device"
        status.reason = one_line(probe.reason) or "the backend lists no devices"
        status.remedy = one_line(probe.remedy) or f"see the documentation of {provider}"
        return
    tables.add_backend(backend, provider)
    status.status = "ready"
    status.automatic = backend.automatic
    status.rank = backend.rank
    tables.publish({**tables.ready(), backend.name: backend})
    attach_kernels(record)


def attach_kernels(record: Record) -> None:
    """Load the kernel plugins named after a backend; sorted, so that the same plugin always wins a tie."""
    name = record.status.name
    entries = [entry for entry in installed() if entry.group == KERNELS and entry.name == name]
    for entry in sorted(entries, key=lambda entry: normalise(entry.dist)):
        if normalise(entry.dist) in record.attached or _blocked(entry):
            continue
        record.attached.append(normalise(entry.dist))
        if run_harmless(record, entry, partial(_add_kernels, entry)):
            record.status.kernels_from = (*record.status.kernels_from, entry.dist)


def _add_kernels(entry: EntryPoint) -> None:
    from . import hookspecs

    tables.add_kernels(hookspecs.kernels_of(entry), entry.dist)


def run_harmless(record: Record, entry: EntryPoint, action: Callable[[], object]) -> bool:
    """Run code of a plugin whose failure disables only its kernels; return whether it succeeded."""
    handled = sys.exc_info()[1]
    error = _run(entry, action)
    if error is None:
        return True
    status = BackendStatus(record.status.name)
    describe_failure(status, entry, error, handled)
    record.status.disabled = (*record.status.disabled, f"{entry.dist}: {status.reason}")
    record.status.traceback += status.traceback
    return False


# --- Names, and the error for a backend that cannot be used ---


def _states() -> dict[str, str]:
    """The state of every known backend by name, without loading any."""
    states = {}
    for name in names():
        record = state.records.get(name)
        status = (record if record is not None else examine(name)).status.status
        # From metadata alone, a backend that is installed but was not requested yet has the status "absent" too.
        states[name] = "not loaded yet" if record is None and status == "absent" and _claims(name) else status
    return states


def not_ready(status: BackendStatus) -> BackendError:
    """The error for a backend that is not ready."""
    if status.status == "absent" and status.name not in CATALOGUE:
        return unknown(status.name, _states())
    return unusable(status)


def names() -> list[str]:
    """The names of all known backends: polytape's own first, then the others in alphabetical order."""
    others = {entry.name for entry in installed() if entry.group == BACKENDS} | set(tables.ready())
    return [*CATALOGUE, *sorted(others - set(CATALOGUE))]
