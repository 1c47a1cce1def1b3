"""The device of new tensors: argument, scope, ``set_backend``, ``POLYTAPE_BACKEND``, otherwise numpy.

This is only for new tensors: an op runs on the device of its operands. A requested device that cannot be used is an
error; it is never replaced silently.
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
_GRAMMAR: Final = "'auto', or a comma-separated list of backend[:kind][:index], each with '?' after it if optional"


class DeviceScope:
    """One entered ``with polytape.device(...)`` block; compared by identity, since exits can come out of order."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


device_scopes: Final[ContextVar[tuple[DeviceScope, ...]]] = ContextVar("polytape.devices", default=())


class _Choice:
    """One item of a list of backends; ``optional`` if it ends with ``?``."""

    def __init__(self, spec: DeviceSpec, optional: bool) -> None:
        self.spec: Final = spec
        self.optional: Final = optional


class _Cache:
    """The default device, and the state it was found in; it is valid as long as that state is the same."""

    def __init__(
        self, current: Settings, scopes: tuple[DeviceScope, ...], generation: int, device: Device, chosen_by: str
    ) -> None:
        self.settings: Final = current
        self.scopes: Final = scopes
        self.generation: Final = generation
        self.device: Final = device
        self.chosen_by: Final = chosen_by


class _State:
    """What was read from the environment, and the last default device; each field is replaced as a whole."""

    def __init__(self) -> None:
        self.cache: _Cache | None = None
        self.read: str | None = None  # the value of POLYTAPE_BACKEND at first use
        self.warned: str | None = None  # a later value that was already warned about
        self.device: Device | None = None  # the device that `read` selected
        self.announced: frozenset[str] = frozenset()  # device kinds that were already logged


state: Final = _State()


def loader() -> Any:
    """The module that loads plugins."""
    # Imported late, so that `import polytape` does not load the plugin machinery. `as module`, because in compiled code
    # an import inside a function binds a module-level name: it must not be a name that is used for anything else here.
    from .. import plugins as module

    return module


def _info(text: str) -> None:
    import logging

    logging.getLogger("polytape").info(text)


# --- The grammar ---


def _parse(text: str, source: str) -> list[_Choice]:
    """The items of the list; none for ``""`` and ``auto``."""
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
    """Check the grammar of ``POLYTAPE_BACKEND`` and ``POLYTAPE_PLUGINS`` at import, without loading a plugin.

    Raises:
        SettingError: one of them does not follow its grammar.
    """
    _parse(os.environ.get(VARIABLE, ""), VARIABLE)
    if os.environ.get("POLYTAPE_PLUGINS"):
        from ..plugins.discovery import read_filter

        read_filter()


# --- Devices by name ---


def _pick(backend: Backend, spec: DeviceSpec) -> Device:
    """The device of ``backend`` that ``spec`` names; the first of its kind if it gives no index."""
    devices = backend.device_list()
    kind = spec.kind or ("" if spec.word in ("", backend.name) else spec.word) or devices[0].kind
    candidates = [device for device in devices if device.kind == kind]
    index = max(spec.index, 0)
    if index >= len(candidates):
        raise DeviceError(
            f"backend {backend.name!r} has no device {spec.text!r}.",
            expected=f"one of {', '.join(str(device) for device in devices)}",
            got=f"kind {kind!r}, index {index}",
            fix="use one of these devices",
        )
    return candidates[index]


def _find_by_backend(spec: DeviceSpec) -> Device:
    """The device that ``spec`` names; a single word must be the name of a backend."""
    return _pick(loader().get_backend(spec.backend or spec.word), spec)


def find_device(spec: DeviceSpec) -> Device:
    """The device that ``spec`` names; a single word may mean a backend or a device kind."""
    if spec.backend or loader().is_known(spec.word):
        return _find_by_backend(spec)
    current = loader().get_backend(default_device().backend)
    backend = current if _has(current, spec.word) else _first_with(spec)
    if backend is not current and spec.word not in state.announced:
        state.announced = state.announced | {spec.word}
        _info(f"using backend {backend.name!r} for devices of kind {spec.word!r}; {current.name!r} has none")
    return _pick(backend, spec)


def _has(backend: Backend, kind: str) -> bool:
    return any(device.kind == kind for device in backend.device_list())


def _first_with(spec: DeviceSpec) -> Backend:
    """The ready backend to use for device kind ``spec.word``: automatic backends first, then by rank."""
    statuses = loader().backends()
    ready = [status for status in statuses if status.status == "ready"]
    ready.sort(key=lambda status: (not status.automatic, -status.rank, status.name))
    for status in ready:
        if any(device.kind == spec.word for device in status.devices):
            backend: Backend = loader().get_backend(status.name)
            return backend
    import difflib

    words = {status.name for status in statuses} | {device.kind for status in ready for device in status.devices}
    near = difflib.get_close_matches(spec.word, sorted(words), 1, cutoff=0.7)  # "gpu" is not a misspelt "cpu"
    others = [f"{status.name} is {status.status}: {status.reason}" for status in statuses if status.status != "ready"]
    raise DeviceError(
        f"{spec.word!r} is neither a backend nor a device kind on this machine.",
        expected=f"one of {', '.join(str(device) for status in ready for device in status.devices)}",
        got="; ".join([repr(spec.text), *others]),
        fix=f"did you mean {near[0]!r}?" if near else "`polytape backends` lists all backends and their devices",
    )


def resolve_device(spec: Any) -> Device:
    """The device that a name refers to; None refers to the default device.

    Args:
        spec: ``[backend:]kind[:index]`` or ``backend[:index]``. A bare kind is a device of the current backend if it
            has that kind, otherwise of the first ready backend that has it.
    Raises:
        DeviceError: the name is not valid, or the device does not exist.
        BackendError: the backend cannot be used.
    """
    if spec is None:
        return default_device()
    return find_device(parse_device(spec))


def backend_of(device: Device) -> Backend:
    """The backend of ``device``.

    Raises:
        BackendError: it was removed, or cannot be loaded.
    """
    ready = tables.ready().get(device.backend)
    if ready is not None:
        return ready
    loaded: Backend = loader().get_backend(device.backend)
    return loaded


def host_device() -> Device:
    """The first device of the host backend, whose arrays are NumPy arrays."""
    host: Backend = loader().host_backend()
    return host.device_list()[0]


# --- Lists and auto ---


def _auto() -> Device:
    """The first device of the ready automatic backend with the highest rank."""
    statuses = [status for status in loader().backends() if status.automatic or status.status != "ready"]
    ready = sorted((s for s in statuses if s.status == "ready"), key=lambda s: (-s.rank, s.name))
    if not ready:
        raise BackendError(
            "auto found no backend that is ready.",
            expected="at least one backend that is ready",
            got="; ".join(f"{status.name} is {status.status}: {status.reason}" for status in statuses),
            fix="`polytape doctor` reports what each of them needs",
        )
    others = [f"{status.name} (rank {status.rank})" for status in ready[1:]]
    others += [f"{status.name} ({status.status}: {status.reason})" for status in statuses if status.status != "ready"]
    _info(f"auto chose {ready[0].name!r} (rank {ready[0].rank}); not chosen: {', '.join(others) or 'none'}")
    first: Device = ready[0].devices[0]
    return first


def choose(text: str, source: str, find: Callable[[DeviceSpec], Device]) -> Device:
    """The device that a list of backends selects: that of its first item that can be used."""
    if text.strip().lower() == "auto":
        return _auto()
    choices = _parse(text, source)
    failures: list[BackendError | DeviceError] = []
    for choice in choices:
        try:
            return find(choice.spec)
        except (BackendError, DeviceError) as error:
            failures.append(error)
        _info(f"{source}={text!r}: {failures[-1].summary}")
    if all(choice.optional for choice in choices):
        return host_device()
    if len(failures) == 1:
        failure = failures[0]
        summary = f"{source}={text!r}: {failure.summary}"
        if isinstance(failure, BackendError):
            raise BackendError(summary, expected=failure.expected, got=failure.got, fix=failure.fix)
        raise DeviceError(summary, expected=failure.expected, got=failure.got, fix=failure.fix)
    raise BackendError(
        f"{source}={text!r}: none of these can be used.",
        expected="at least one backend that is ready",
        got=" ".join(failure.summary for failure in failures),
        fix=" / ".join(failure.fix for failure in failures),
    )


# --- The default device ---


def default_device() -> Device:
    """The device of new tensors if no argument gives one: scope, ``set_backend``, ``POLYTAPE_BACKEND``, else numpy.

    Raises:
        BackendError: the requested backend cannot be used.
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
    """Find the default device and what selected it, without using the cache."""
    current = settings()
    scopes = device_scopes.get()
    if scopes:
        device, chosen_by = _find_by_backend(parse_device(scopes[-1].name)), "scope"
    elif current.backend:
        device, chosen_by = _find_by_backend(parse_device(current.backend)), current.chosen_by
    else:
        device, chosen_by = _find_by_environment()
    # generation() is read after the lookups, which may have loaded the backend.
    cache = _Cache(current, scopes, tables.generation(), device, chosen_by)
    state.cache = cache
    return cache


def _find_by_environment() -> tuple[Device, str]:
    text = (os.environ.get(VARIABLE, "") if state.read is None else state.read).strip()
    chosen_by = VARIABLE if text else "default"
    previous = state.device
    if previous is not None and any(backend.name == previous.backend for backend in loader().loaded()):
        return previous, chosen_by  # chosen only once, so that `auto` does not change devices in a running program
    device = choose(text, VARIABLE, _find_by_backend) if text else host_device()
    state.read = text
    state.device = device
    return device, chosen_by
