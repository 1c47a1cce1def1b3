"""Where new tensors go: argument, scope, ``set_backend``, ``POLYTAPE_BACKEND``, else numpy.

Operands decide where an op runs; all of this only places what is new. What was asked for and cannot be used raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from ..device import Device, DeviceSpec, parse_device
from ..errors import BackendError, DeviceError, SettingError
from ..registry import tables
from ..settings import Settings, settings

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["check_environment", "default_device", "resolve_device"]

VARIABLE: Final = "POLYTAPE_BACKEND"
_GRAMMAR: Final = "'auto', or a comma list of backend[:kind][:index], each with '?' behind it if optional"


class DeviceScope:
    """One entered ``with polytape.device(...)``; told apart by identity, since exits can come out of order."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


device_scopes: Final[ContextVar[tuple[DeviceScope, ...]]] = ContextVar("polytape.devices", default=())


class _Choice:
    """One item of a list of backends; ``optional`` is a ``?`` behind it."""

    def __init__(self, spec: DeviceSpec, optional: bool) -> None:
        self.spec: Final = spec
        self.optional: Final = optional


class _Cache:
    """The default device, and what it was found under: while all of that is the same, so is the device."""

    def __init__(
        self, found_with: Settings, scopes: tuple[DeviceScope, ...], generation: int, device: Device, by: str
    ) -> None:
        self.settings: Final = found_with
        self.scopes: Final = scopes
        self.generation: Final = generation
        self.device: Final = device
        self.chosen_by: Final = by


class _State:
    """What was read of the environment, and the last default device; each field is swapped whole."""

    def __init__(self) -> None:
        self.cache: _Cache | None = None
        self.read: str | None = None  # POLYTAPE_BACKEND at first use
        self.warned: str | None = None  # the later value that was warned about
        self.device: Device | None = None  # what it gave
        self.announced: frozenset[str] = frozenset()


state: Final = _State()


def loader() -> Any:
    """The module that loads plugins."""
    # Not at import: the loader is no part of the compiled ring, and stands above it.
    # By another name: compiled, an import inside a function binds a name of the module, and would replace this one.
    from .. import plugins as module

    return module


def _info(text: str) -> None:
    import logging

    logging.getLogger("polytape").info(text)


# --- The grammar ---


def _parse(text: str, source: str) -> list[_Choice]:
    """Items of the list; none for ``""`` and ``auto``."""
    if text.strip().lower() in ("", "auto"):
        return []
    choices = []
    for part in text.split(","):
        item = part.strip()
        try:
            spec = parse_device(item.removesuffix("?").rstrip())
        except DeviceError:
            spec = None
        if spec is None or item.startswith("/") or "auto" in (spec.word, spec.backend, spec.kind):
            raise SettingError(
                f"{source}={text!r} is not understood.",
                expected=_GRAMMAR,
                got=repr(item),
                fix="for example 'numba', 'cupy:gpu:1', or 'cupy?,numpy'; `polytape backends` lists the names",
            )
        choices.append(_Choice(spec, item.endswith("?")))
    return choices


def check_environment() -> None:
    """Check the grammar of ``POLYTAPE_BACKEND`` and ``POLYTAPE_PLUGINS``; called on import, loads nothing.

    Raises:
        SettingError: one of them does not follow its grammar.
    """
    _parse(os.environ.get(VARIABLE, ""), VARIABLE)
    if os.environ.get("POLYTAPE_PLUGINS"):
        from ..plugins.discovery import read_filter

        read_filter()


# --- Devices by name ---


def _pick(backend: Backend, spec: DeviceSpec) -> Device:
    """The device of ``backend`` that ``spec`` names; the first of its kind where it gives no index."""
    devices = backend.device_list()
    kind = spec.kind or ("" if spec.word in ("", backend.name) else spec.word) or devices[0].kind
    found = [one for one in devices if one.kind == kind]
    index = max(spec.index, 0)
    if index >= len(found):
        raise DeviceError(
            f"backend {backend.name!r} has no device {spec.text!r}.",
            expected=f"one of {', '.join(str(one) for one in devices)}",
            got=f"kind {kind!r}, index {index}",
            fix="name one of these devices",
        )
    return found[index]


def _of_backend(spec: DeviceSpec) -> Device:
    return _pick(loader().get_backend(spec.backend or spec.word), spec)


def of_any(spec: DeviceSpec) -> Device:
    """As `_of_backend`, but a bare word may also be a device kind."""
    if spec.backend or loader().is_known(spec.word):
        return _of_backend(spec)
    current = loader().get_backend(default_device().backend)
    backend = current if _has(current, spec.word) else _first_with(spec)
    if backend is not current and spec.word not in state.announced:
        state.announced = state.announced | {spec.word}
        _info(f"devices of kind {spec.word!r} are those of backend {backend.name!r}; {current.name!r} has none")
    return _pick(backend, spec)


def _has(backend: Backend, kind: str) -> bool:
    return any(one.kind == kind for one in backend.device_list())


def _first_with(spec: DeviceSpec) -> Backend:
    """The best ready backend with devices of kind ``spec.word``: automatic ones first, then by rank."""
    statuses = loader().backends()
    ready = [status for status in statuses if status.status == "ready"]
    ready.sort(key=lambda status: (not status.automatic, -status.rank, status.name))
    for status in ready:
        if any(one.kind == spec.word for one in status.devices):
            found: Backend = loader().get_backend(status.name)
            return found
    import difflib

    words = {status.name for status in statuses} | {one.kind for status in ready for one in status.devices}
    near = difflib.get_close_matches(spec.word, sorted(words), 1, cutoff=0.7)  # "gpu" is not a misspelt "cpu"
    others = [f"{status.name} is {status.status}: {status.reason}" for status in statuses if status.status != "ready"]
    raise DeviceError(
        f"{spec.word!r} is neither a backend nor a kind of device here.",
        expected=f"one of {', '.join(str(one) for status in ready for one in status.devices)}",
        got="; ".join([repr(spec.text), *others]),
        fix=f"did you mean {near[0]!r}?" if near else "`polytape backends` lists what there is, and what is missing",
    )


def resolve_device(spec: Any) -> Device:
    """The device that a name means now; None means the default one.

    Args:
        spec: ``[backend:]kind[:index]`` or ``backend[:index]``. A bare kind keeps the current backend if it has that
            kind, else means the first ready backend that has it.
    Raises:
        DeviceError: the name follows no grammar, or there is no such device.
        BackendError: the backend it names cannot be used.
    """
    if spec is None:
        return default_device()
    return of_any(parse_device(spec))


def backend_of(place: Device) -> Backend:
    """The backend that ``place`` is a device of.

    Raises:
        BackendError: it is not loaded any more, and cannot be.
    """
    ready = tables.ready().get(place.backend)
    if ready is not None:
        return ready
    found: Backend = loader().get_backend(place.backend)
    return found


def host_device() -> Device:
    """The first device of the backend whose arrays are NumPy's."""
    host: Backend = loader().host_backend()
    return host.device_list()[0]


# --- Lists and auto ---


def _auto() -> Device:
    """The first device of the ready automatic backend with the highest rank."""
    statuses = [status for status in loader().backends() if status.automatic or status.status != "ready"]
    ready = sorted((s for s in statuses if s.status == "ready"), key=lambda s: (-s.rank, s.name))
    if not ready:
        raise BackendError(
            "auto finds no backend that is ready.",
            expected="at least one backend that is ready",
            got="; ".join(f"{status.name} is {status.status}: {status.reason}" for status in statuses),
            fix="`polytape doctor` tells what each of them lacks",
        )
    losers = [f"{status.name} (rank {status.rank})" for status in ready[1:]]
    losers += [f"{status.name} ({status.status}: {status.reason})" for status in statuses if status.status != "ready"]
    _info(f"auto takes {ready[0].name!r} (rank {ready[0].rank}); not taken: {', '.join(losers) or 'none'}")
    first: Device = ready[0].devices[0]
    return first


def choose(text: str, source: str, find: Callable[[DeviceSpec], Device]) -> Device:
    """The device that a list means: its first item that can be used."""
    if text.strip().lower() == "auto":
        return _auto()
    choices = _parse(text, source)
    misses: list[BackendError | DeviceError] = []
    for choice in choices:
        try:
            return find(choice.spec)
        except (BackendError, DeviceError) as error:
            misses.append(error)
        _info(f"{source}={text!r}: {misses[-1].summary}")
    if all(choice.optional for choice in choices):
        return host_device()
    if len(misses) == 1:
        only = misses[0]
        summary = f"{source}={text!r}: {only.summary}"
        if isinstance(only, BackendError):
            raise BackendError(summary, expected=only.expected, got=only.got, fix=only.fix)
        raise DeviceError(summary, expected=only.expected, got=only.got, fix=only.fix)
    raise BackendError(
        f"{source}={text!r}: none of these can be used.",
        expected="at least one backend that is ready",
        got=" ".join(miss.summary for miss in misses),
        fix=" / ".join(miss.fix for miss in misses),
    )


# --- The default device ---


def default_device() -> Device:
    """Where new tensors go when no argument says: the innermost scope, ``set_backend``, ``POLYTAPE_BACKEND``, numpy.

    Raises:
        BackendError: what was asked for cannot be used.
    """
    cache = state.cache
    if (
        cache is not None
        and cache.settings is settings()
        and cache.scopes is device_scopes.get()
        and cache.generation == tables.generation()
    ):
        return cache.device
    return decide().device


def decide() -> _Cache:
    """Find the default device anew, and who chose it."""
    found_with = settings()
    scopes = device_scopes.get()
    if scopes:
        place, by = _of_backend(parse_device(scopes[-1].name)), "scope"
    elif found_with.backend:
        place, by = _of_backend(parse_device(found_with.backend)), found_with.chosen_by
    else:
        place, by = _of_environment()
    # After the lookups, which may have loaded the backend.
    cache = _Cache(found_with, scopes, tables.generation(), place, by)
    state.cache = cache
    return cache


def _of_environment() -> tuple[Device, str]:
    text = (os.environ.get(VARIABLE, "") if state.read is None else state.read).strip()
    by = VARIABLE if text else "default"
    known = state.device
    if known is not None and any(backend.name == known.backend for backend in loader().loaded()):
        return known, by  # chosen once: what auto took does not change under a running program
    found = choose(text, VARIABLE, _of_backend) if text else host_device()
    state.read = text
    state.device = found
    return found, by
