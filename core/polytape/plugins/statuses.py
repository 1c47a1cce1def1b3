"""The status of a backend, and the descriptions of a plugin's failure: the root cause first, then the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..backend import normalise
from ..device import Device
from ..errors import BackendError, PolytapeError
from .discovery import MAJOR, OWN, EntryPoint

__all__ = [
    "CATALOGUE",
    "BackendStatus",
    "describe_failure",
    "one_line",
    "say_absent",
    "say_clash",
    "say_left_out",
    "unknown",
    "unusable",
]

MOST_TEXT: Final = 500  # characters of a text of a plugin in a status
MOST_TRACEBACK: Final = 100_000  # characters
# polytape's own backends, each with the command that installs its dependencies.
CATALOGUE: Final = {
    "numpy": "pip install polytape",
    "numba": "pip install 'polytape[numba]'",
    "cupy": "pip install 'polytape[cupy]'",
}


class BackendStatus:
    """The status of one backend.

    ``status`` is one of ``absent``, ``blocked``, ``incompatible``, ``import-failed``, ``no-device`` and ``ready``;
    ``reason`` and ``remedy`` are one line each, empty if the backend is ready. ``load_time_s`` is in seconds and
    includes imports; ``native``, ``decomposed`` and ``missing`` count ops. ``kernels_from`` lists the distributions
    that added kernels, ``disabled`` those whose kernels were rejected, with the reason, and ``ignored`` those that
    provide a backend of the same name, which is not used; ``traceback`` is the full traceback of the last failure.
    """

    __slots__ = (
        "automatic", "decomposed", "devices", "disabled", "distribution", "ignored", "kernels_from", "library",
        "load_time_s", "missing", "name", "native", "rank", "reason", "remedy", "status", "traceback", "version",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.status: str = "absent"
        self.reason: str = ""
        self.remedy: str = ""
        self.version: str = ""
        self.distribution: str = ""
        self.library: str = ""
        self.devices: tuple[Device, ...] = ()
        self.load_time_s: float = 0.0
        self.native: int = 0
        self.decomposed: int = 0
        self.missing: int = 0
        self.kernels_from: tuple[str, ...] = ()
        self.disabled: tuple[str, ...] = ()
        self.ignored: tuple[str, ...] = ()
        self.traceback: str = ""
        self.automatic: bool = False
        self.rank: int = 0

    def __repr__(self) -> str:
        text = f"{self.name!r}, {self.status}"
        if self.reason:
            text += f": {self.reason}"
        return f"BackendStatus({text})"


def _root_cause(error: BaseException, handled: BaseException | None) -> BaseException:
    root = error
    for _ in range(64):  # chains of exceptions can be circular
        cause = root.__cause__ or (None if root.__suppress_context__ else root.__context__)
        if cause is None or cause is handled:
            break
        root = cause
    return root


def one_line(value: object) -> str:
    """The first line of a text that a plugin gave, without control characters and not too long."""
    try:
        lines = str(value).strip().splitlines()
    except Exception as error:
        return f"<{type(value).__name__} whose text cannot be read: {type(error).__name__}>"
    line = lines[0] if lines else ""
    return "".join(c if c.isprintable() else "?" for c in line[:MOST_TEXT])


def _describe(error: BaseException) -> str:
    if isinstance(error, PolytapeError):
        return one_line(error.summary).rstrip(".")
    text = one_line(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def describe_failure(
    status: BackendStatus, entry: EntryPoint, error: BaseException, handled: BaseException | None
) -> None:
    """Record the failure of a plugin in a status.

    Args:
        status: the status to update.
        entry: the plugin that failed to load.
        error: the exception that it raised.
        handled: the exception that the caller was already handling; it is not a cause of this failure.
    """
    import traceback

    root = _root_cause(error, handled)
    status.status = "import-failed"
    status.devices = ()
    status.reason = _describe(root)
    if root is not error:
        status.reason += f" (then {_describe(error)}, while loading {entry.value})"
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    status.traceback = "".join(c if c.isprintable() or c == "\n" else "?" for c in text[-MOST_TRACEBACK:])
    own = entry.own
    if isinstance(root, PolytapeError) and root.fix:
        status.remedy = root.fix
    elif isinstance(root, ModuleNotFoundError) and entry.name in CATALOGUE and own:
        status.remedy = CATALOGUE[entry.name]
    elif isinstance(root, ModuleNotFoundError):
        status.remedy = f"install the package that provides the module {root.name!r}, which {entry.dist} needs"
    else:
        status.remedy = f"`polytape doctor` shows the traceback; update {entry.dist} (installed: {entry.version})"
        status.remedy += "" if own else f", or exclude it: POLYTAPE_PLUGINS=-{normalise(entry.dist)}"


def say_left_out(status: BackendStatus, claims: Sequence[EntryPoint], plugin_filter: str) -> None:
    """Fill in the status of a backend whose plugins are all blocked or incompatible.

    Args:
        status: the status to update.
        claims: the entry points that provide the backend.
        plugin_filter: the value of ``POLYTAPE_PLUGINS``.
    """
    blocked = [entry for entry in claims if entry.readable]
    entry = blocked[0] if blocked else claims[0]
    dist = normalise(entry.dist)
    if blocked:
        status.status = "blocked"
        status.reason = f"POLYTAPE_PLUGINS={plugin_filter} excludes {entry.dist}"
        if dist == OWN:
            status.reason += f" in {entry.path}, which is not the polytape that runs"
        status.remedy = f"allow {dist} in POLYTAPE_PLUGINS, or unset it"
    else:
        status.status = "incompatible"
        status.reason = f"{dist} {entry.version} is built for plugin API {entry.major}; this polytape supports {MAJOR}"
        status.remedy = f"install a release of {dist} for plugin API {MAJOR}, or another version of polytape"


def say_clash(status: BackendStatus, claims: Sequence[EntryPoint]) -> None:
    """Fill in the status of a backend that several distributions provide, so that none of them is loaded."""
    dists = sorted(entry.dist for entry in claims)
    both, neither, other = ("both", "neither", "other") if len(dists) == 2 else ("all", "none", "others")
    listed = f"{', '.join(dists[:-1])} and {dists[-1]}"
    status.status = "blocked"
    status.distribution = ", ".join(dists)
    status.reason = f"{listed} {both} provide a backend {status.name!r}; {neither} is loaded"
    status.remedy = f"POLYTAPE_PLUGINS={normalise(dists[0])}/{status.name} selects one; or uninstall the {other}"


def say_absent(status: BackendStatus, own: bool) -> None:
    """Fill in the status of a backend that no installed distribution provides.

    Args:
        status: the status to update.
        own: whether the metadata of polytape itself was found.
    """
    if status.name not in CATALOGUE:
        status.reason = "not installed"
        status.remedy = f"install the distribution that provides the backend {status.name!r}"
        return
    status.reason = "not installed"
    status.remedy = CATALOGUE[status.name]
    if not own:
        status.reason = "polytape itself is not installed: its metadata is not on sys.path"
        status.remedy += ", or `pip install -e .` in a checkout"


def unusable(status: BackendStatus) -> BackendError:
    """The error for a known backend that is not ready."""
    return BackendError(
        f"backend {status.name!r} cannot be used: {status.reason}.",
        expected="a backend that is ready",
        got=f"{status.name!r}, which is {status.status}",
        fix=status.remedy,
    )


def unknown(name: str, states: dict[str, str]) -> BackendError:
    """The error for an unknown backend name.

    Args:
        name: the unknown name.
        states: the known names, with the state of each.
    """
    import difflib

    near = difflib.get_close_matches(name, list(states), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"install the distribution that provides {name!r}"
    return BackendError(
        f"no backend {name!r}; known: {', '.join(f'{known} ({state})' for known, state in states.items())}.",
        expected="the name of an installed backend",
        got=repr(name),
        fix=f"{hint}; run `polytape backends` for details",
    )
