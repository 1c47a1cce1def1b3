"""The device of new tensors: argument, scope, ``set_backend``, ``POLYTAPE_BACKEND``, otherwise numpy.

This is only for new tensors: an op runs on the device of its operands. A requested device that cannot be used is an
error; it is never replaced silently.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from ..device import Device, DeviceSpec, parse_device
from ..errors import DeviceError
from ..registry import tables
from ..settings import Settings, settings

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["check_environment", "default_device", "resolve_device"]

VARIABLE: Final = "POLYTAPE_BACKEND"


class DeviceScope:
    """One entered ``with polytape.device(...)`` block; compared by identity, since exits can come out of order."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


device_scopes: Final[ContextVar[tuple[DeviceScope, ...]]] = ContextVar("polytape.devices", default=())


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


def check_environment() -> None:
    """Check the environment variables at import, without loading a plugin, and warn of unknown ones.

    Raises:
        SettingError: one of them does not follow its grammar.
    """
    names = [name for name in os.environ if name.startswith("POLYTAPE_")]
    if names:
        from . import choosing

        choosing.check_environment(names)


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
    if _has(current, spec.word):
        return _pick(current, spec)
    from . import choosing

    backend = choosing.first_with(spec)
    if backend is not current and spec.word not in state.announced:
        state.announced = state.announced | {spec.word}
        choosing.info(f"using backend {backend.name!r} for devices of kind {spec.word!r}; {current.name!r} has none")
    return _pick(backend, spec)


def _has(backend: Backend, kind: str) -> bool:
    return any(device.kind == kind for device in backend.device_list())


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
    if previous is not None and previous.backend in tables.ready():
        return previous, chosen_by  # chosen only once, so that `auto` does not change devices in a running program
    if text:
        from . import choosing

        device = choosing.choose(text, VARIABLE, _find_by_backend, host_device)
    else:
        device = host_device()
    state.read = text
    state.device = device
    return device, chosen_by
