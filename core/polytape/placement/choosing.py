"""Lists of backends, ``auto`` and the environment variables: what choosing a backend needs, and no tensor does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ..device import Device, DeviceSpec, parse_device
from ..errors import BackendError, DeviceError, SettingError, warn

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["Choice", "check_environment", "choose", "first_with", "info", "parse", "unknown_variables"]

_GRAMMAR: Final = "'auto', or a comma-separated list of backend[:kind][:index], each with '?' after it if optional"
# All variables that polytape reads; a plugin's own begin with POLYTAPE_, the name of its backend and "_".
VARIABLES: Final = (
    "POLYTAPE_BACKEND", "POLYTAPE_CHECK", "POLYTAPE_CHECK_NUMERICS", "POLYTAPE_COMPILE", "POLYTAPE_DEFAULT_DTYPE",
    "POLYTAPE_DUMP_GRAPHS", "POLYTAPE_FALLBACK", "POLYTAPE_KERNELS", "POLYTAPE_MIXED_DEVICES", "POLYTAPE_PLUGINS",
    "POLYTAPE_TRACEBACK",
)  # fmt: skip


def info(text: str) -> None:
    """Log a choice that needs no action."""
    import logging

    logging.getLogger("polytape").info(text)


# --- The grammar ---


class Choice:
    """One item of a list of backends; ``optional`` if it ends with ``?``."""

    def __init__(self, spec: DeviceSpec, optional: bool) -> None:
        self.spec: Final = spec
        self.optional: Final = optional


def parse(text: str, source: str) -> list[Choice]:
    """The items of the list; none for ``""`` and ``auto``.

    Raises:
        SettingError: the text does not follow the grammar; ``source`` is where it comes from.
    """
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
        choices.append(Choice(spec, item.endswith("?")))
    return choices


def check_environment(names: Iterable[str]) -> None:
    """Check the lists in the environment, without loading a plugin; warn of unknown variables.

    Args:
        names: the variables that begin with ``POLYTAPE_``.
    Raises:
        SettingError: a list does not follow its grammar.
    """
    for name, suggestion in unknown_variables(names):
        # A plugin may have variables of two or more words. At import, no metadata is read to find out.
        if suggestion or name.count("_") == 1:
            hint = f"did you mean {suggestion}?" if suggestion else f"it reads {', '.join(VARIABLES)}"
            warn(f"polytape does not read the environment variable {name}; {hint}")
    parse(os.environ.get("POLYTAPE_BACKEND", ""), "POLYTAPE_BACKEND")
    if os.environ.get("POLYTAPE_PLUGINS"):
        from ..plugins.plugin_filter import read_filter

        read_filter()
    if os.environ.get("POLYTAPE_KERNELS"):
        from ..registry.pins import read_pins

        read_pins()


def unknown_variables(names: Iterable[str], backends: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The variables that polytape does not read, each with the one that it is most likely meant to be, or "".

    Args:
        names: names of variables.
        backends: names of backends, whose own variables are not listed.
    """
    prefix = "POLYTAPE_"
    others = tuple(f"{prefix}{backend.upper().replace('-', '_')}_" for backend in backends)
    unknown = [name for name in names if name.startswith(prefix) and name not in VARIABLES]
    return [
        (name, prefix + near if (near := _nearest(name.removeprefix(prefix))) else "")
        for name in unknown
        if not name.startswith(others)
    ]


def _nearest(word: str) -> str:
    import difflib

    known = [name.removeprefix("POLYTAPE_") for name in VARIABLES]
    return "".join(difflib.get_close_matches(word, known, 1, cutoff=0.8))


# --- Device kinds ---


def first_with(spec: DeviceSpec) -> Backend:
    """The ready backend to use for device kind ``spec.word``: automatic backends first, then by rank.

    Raises:
        DeviceError: no ready backend has devices of that kind.
    """
    import difflib

    from .. import plugins

    statuses = plugins.backends()
    ready = [status for status in statuses if status.status == "ready"]
    ready.sort(key=lambda status: (not status.automatic, -status.rank, status.name))
    for status in ready:
        if any(device.kind == spec.word for device in status.devices):
            return plugins.get_backend(status.name)
    words = {status.name for status in statuses} | {device.kind for status in ready for device in status.devices}
    near = difflib.get_close_matches(spec.word, sorted(words), 1, cutoff=0.7)  # "gpu" is not a misspelt "cpu"
    others = [f"{status.name} is {status.status}: {status.reason}" for status in statuses if status.status != "ready"]
    raise DeviceError(
        f"{spec.word!r} is neither a backend nor a device kind on this machine.",
        expected=f"one of {', '.join(str(device) for status in ready for device in status.devices)}",
        got="; ".join([repr(spec.text), *others]),
        fix=f"did you mean {near[0]!r}?" if near else "`polytape backends` lists all backends and their devices",
    )


# --- Lists and auto ---


def _auto() -> Device:
    """The first device of the ready automatic backend with the highest rank."""
    from .. import plugins

    statuses = [status for status in plugins.backends() if status.automatic or status.status != "ready"]
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
    info(f"auto chose {ready[0].name!r} (rank {ready[0].rank}); not chosen: {', '.join(others) or 'none'}")
    return ready[0].devices[0]


def choose(text: str, source: str, find: Callable[[DeviceSpec], Device], host: Callable[[], Device]) -> Device:
    """The device that a list of backends selects: that of its first item that can be used.

    Args:
        text: the list.
        source: where it comes from, for messages.
        find: finds the device of an item.
        host: finds the device to use if every item is optional and none can be used.
    Raises:
        BackendError, DeviceError: none can be used.
    """
    if text.strip().lower() == "auto":
        return _auto()
    choices = parse(text, source)
    failures: list[BackendError | DeviceError] = []
    missed: list[str] = []
    for choice in choices:
        try:
            device = find(choice.spec)
        except (BackendError, DeviceError) as error:
            failures.append(error)
            info(f"{source}={text!r}: {error.summary}")
            if not choice.optional:
                missed.append(f"{error.summary.rstrip('.')} (fix: {error.fix})")
        else:
            if missed:
                silent = "an item that ends with '?' is skipped silently"
                warn(f"{source}={text!r} uses {device}, because {'; '.join(missed)}; {silent}")
            return device
    if all(choice.optional for choice in choices):
        return host()
    raise _none_usable(text, source, failures)


def _none_usable(text: str, source: str, failures: list[BackendError | DeviceError]) -> BackendError | DeviceError:
    if len(failures) == 1:
        failure = failures[0]
        error = BackendError if isinstance(failure, BackendError) else DeviceError
        summary = f"{source}={text!r}: {failure.summary}"
        return error(summary, expected=failure.expected, got=failure.got, fix=failure.fix)
    return BackendError(
        f"{source}={text!r}: none of these can be used.",
        expected="at least one backend that is ready",
        got=" ".join(failure.summary for failure in failures),
        fix=" / ".join(failure.fix for failure in failures),
    )
