"""Load every plugin in a child process, with a time limit for each, so that no plugin can stop the command.

The child reports which plugin begins and ends to run. If one takes too long, or ends the process, the child is stopped;
another one is started that does not load that plugin, whose status says what happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any, Final

from .. import plugins
from ..errors import BackendError, PluginError, PolytapeError, PolytapeWarning
from ..placement.default_backend import current_backend
from ..plugins.discovery import EntryPoint
from ..plugins.loading import observe
from ..plugins.statuses import BackendStatus

__all__ = ["LIMIT_S", "as_json", "serve", "survey"]

LIMIT_S: Final = 30.0  # importing cupy from a slow disk takes 10 s
# Starts the child. Its sys.path is the parent's, whatever command started that, and Ctrl-C is the parent's to handle.
_PROGRAM: Final = """
import json, signal, sys, warnings
signal.signal(signal.SIGINT, signal.SIG_IGN)
request = json.loads(sys.stdin.readline())
sys.path[:] = request["path"]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the parent has warned already
    from polytape.cli.survey import serve
serve(request)
"""

Facts = dict[str, Any]
Key = list[str]  # of a plugin: group, distribution, name, value


def _key(entry: EntryPoint) -> Key:
    return [entry.group, entry.dist, entry.name, entry.value]


# --- The child ---


def serve(request: Facts) -> None:
    """Load the plugins, and write events to standard output: the running plugins, or the result; one JSON value a line.

    Args:
        request: ``refused``: the plugins not to load, each with the reason; ``choose``: as for `survey`.
    """
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print must not be taken for an event
    refused = {tuple(key): what for key, what in request["refused"]}

    def observer(running: Sequence[EntryPoint]) -> None:
        keys = [_key(entry) for entry in running]
        print(json.dumps({"running": keys}), file=events, flush=True)
        what = refused.get(tuple(keys[-1])) if keys else None
        if what is not None:
            raise PluginError(f"{running[-1].value} of {running[-1].dist} {what}", fix=_remedy(running[-1]))

    observe(observer)
    result = {
        "chosen": _chosen() if request["choose"] else {},
        "backends": [{**as_json(status), "traceback": status.traceback} for status in plugins.backends()],
        "problems": list(plugins.problems()),
        "unmatched": plugins.warnings_of_filter(),
    }
    print(json.dumps({"result": result}), file=events, flush=True)
    os._exit(0)  # threads that a plugin has started, or its functions for the exit, must not delay the answer


def _remedy(entry: EntryPoint) -> str:
    longer = "if it only needs more time, use --timeout"
    return longer if entry.own else f"exclude it with POLYTAPE_PLUGINS=-{entry.dist}; {longer}"


def _chosen() -> Facts:
    """The backend of new tensors, or why there is none, with the warnings of the choice."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PolytapeWarning)
        try:
            backend = current_backend()
        except PolytapeError as error:
            return {"ready": False, "error": str(error), "warnings": []}
    return {
        "ready": True,
        "name": backend.name,
        "version": backend.version,
        "library": backend.library,
        "device": str(backend.device),
        "chosen_by": backend.chosen_by,
        "warnings": [str(warning.message) for warning in caught if issubclass(warning.category, PolytapeWarning)],
    }


def as_json(status: BackendStatus) -> Facts:
    """One status as JSON values; ``load_time_s`` in seconds."""
    ready = status.status == "ready"
    return {
        "name": status.name,
        "status": status.status,
        "reason": status.reason,
        "remedy": status.remedy,
        "devices": [str(device) for device in status.devices],
        "version": status.version,
        "library": status.library,
        "distribution": status.distribution,
        "load_time_s": status.load_time_s,
        "native": status.native if ready else None,
        "decomposed": status.decomposed if ready else None,
        "missing": status.missing if ready else None,
        "kernels_from": list(status.kernels_from),
        "disabled": list(status.disabled),
        "ignored": list(status.ignored),
    }


# --- The parent ---


class _Child:
    """One child process, and what it reports."""

    def __init__(self, request: Facts) -> None:
        options = [f"-W{option}" for option in sys.warnoptions]
        self.process = subprocess.Popen(
            [sys.executable, "-P", *options, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        # Not queue.Queue: Ctrl-C could leave its lock in a wrong state.
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError), self.process.stdin as stream:  # if it has ended already, `wait` reports it
            stream.write(json.dumps(request) + "\n")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:  # closed here: elsewhere, closing would wait for this thread
            for line in stream:
                self.events.put(line)
        self.events.put("")

    def wait(self, limit_s: float) -> tuple[Facts | None, Key | None, str]:
        """The result, or the plugin that prevented it and what it did."""
        running: list[Key] = []
        while True:
            try:
                line = self.events.get(timeout=limit_s)
            except queue.Empty:
                return None, running[-1] if running else None, f"did not finish within {limit_s:g} s"
            except KeyboardInterrupt as error:
                if running:
                    error.add_note(f"it was loading {running[-1][3]}, a plugin of {running[-1][1]}")
                raise
            if not line:
                return None, running[-1] if running else None, f"ended the process: {self._status()}"
            if not line.startswith('{"'):
                continue  # printed before `serve` began, for example by a .pth file
            event = json.loads(line)
            if "result" in event:
                return event["result"], None, ""
            running = event["running"]

    def _status(self) -> str:
        status = self.process.wait()
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        """End the process if it still runs."""
        self.process.kill()
        self.process.wait()


def survey(limit_s: float, *, choose: bool = False) -> Facts:
    """What loading all plugins shows: ``backends`` (statuses), ``problems`` and ``unmatched`` items of the filter.

    Args:
        limit_s: seconds for each plugin.
        choose: whether to choose the backend of new tensors first, as ``chosen``.
    Raises:
        BackendError: no plugin is to blame for a child that gives no answer.
    """
    refused: list[tuple[Key, str]] = []
    while True:
        child = _Child({"path": sys.path, "refused": refused, "choose": choose})
        try:
            result, key, what = child.wait(limit_s)
        finally:
            child.stop()
        if result is not None:
            return result
        if key is None or any(known == key for known, _ in refused):
            raise BackendError(
                f"the process that loads the plugins {what}.",
                expected="the status of every backend",
                got=f"no answer after {', '.join(known[1] for known, _ in refused) or 'no plugin'} was left out",
                fix="see its messages above; POLYTAPE_PLUGINS=none leaves out all plugins of other distributions",
            )
        refused.append((key, what))
