"""Workers of a parallel map: daemon threads, each of which may hand its calls to a process of its own.

A worker process is spawned, not forked: it imports the program's main module, and the function and the elements are
pickled. It ends with its pipe, so neither a killed worker nor a killed program leaves the other one waiting.
"""

from __future__ import annotations

import contextvars
import multiprocessing
import pickle
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final

from ..errors import DataError
from ..placement import selection
from ..random.generator import Generator
from .streams import Session, call, closed
from .structures import Placing, normalised, on_host

__all__ = ["Pool", "Task"]

_WHERE: Final = "map"


class Task:
    """One call of the function, and its outcome."""

    __slots__ = ("_done", "element", "error", "key", "position", "result")

    def __init__(self, element: Any, position: int, key: int | None) -> None:
        self.element, self.position, self.key = element, position, key
        self.result: Any = None
        self.error: BaseException | None = None
        self._done = threading.Event()

    def finish(self, result: Any = None, error: BaseException | None = None) -> None:
        """Set the outcome, unless it is set, and wake the thread that waits for it."""
        if not self._done.is_set():
            self.result, self.error = result, error
            self._done.set()

    def finished(self) -> bool:
        """Whether the outcome is set."""
        return self._done.is_set()

    def wait(self) -> Any:
        """The result, once it is there; raises the error of the call."""
        self._done.wait()
        if self.error is not None:
            raise self.error
        return self.result


class Pool:
    """Threads that run tasks in the order in which these are submitted.

    Args:
        function: of an element.
        workers: how many.
        processes: whether each thread runs the function in a process of its own.
        session: of the iterator; it closes the pool.
    """

    def __init__(self, function: Callable[..., Any], workers: int, processes: bool, session: Session) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._workers = [
            _Process(function, session.work) if processes else _Local(function, session.work) for _ in range(workers)
        ]
        self._pending: set[Task] = set()  # submitted, and not taken from the queue and finished yet
        self._closed = False
        for worker in self._workers:
            arguments = (self._tasks, self._pending, worker, session.variables.copy())
            threading.Thread(target=_serve_tasks, args=arguments, name="polytape-data", daemon=True).start()

    def submit(self, task: Task) -> Task:
        """Run a task in one of the threads."""
        self._pending.add(task)
        self._tasks.put(task)
        if self._closed:
            task.finish(error=closed())
        return task

    def close(self) -> None:
        """End the threads and processes, and wake who waits; a call that is running in a thread is not waited for."""
        if not self._closed:
            self._closed = True
            for worker in self._workers:
                self._tasks.put(None)
                worker.close()
            for task in list(self._pending):
                task.finish(error=closed())


def _serve_tasks(
    tasks: queue.SimpleQueue[Task | None], pending: set[Task], worker: _Local | _Process, context: contextvars.Context
) -> None:
    """What a thread of a pool runs."""
    while (task := tasks.get()) is not None:
        if not task.finished():
            try:
                task.finish(context.run(worker.call, task.element, task.position, task.key))
            except BaseException as error:  # handed to the consumer, which raises it
                task.finish(error=error)
        pending.discard(task)
        task.element = None  # only the result is needed, until the consumer takes it
        task = None  # the last element must not stay alive while the thread waits


class _Local:
    """Calls the function in the thread itself."""

    def __init__(self, function: Callable[..., Any], device: Any) -> None:
        self._function, self._placing = function, Placing(device)

    def call(self, element: Any, position: int, key: int | None) -> Any:
        keywords = {} if key is None else {"generator": Generator(key)}
        return normalised(call(self._function, self._placing.tensors(element), _WHERE, position, **keywords))

    def close(self) -> None:
        pass


class _Process:
    """Calls the function in another process, which starts with the first call."""

    def __init__(self, function: Callable[..., Any], device: Any) -> None:
        self._function, self._device = function, str(device)
        self._process: Any = None
        self._pipe: Any = None
        self._lock = threading.RLock()  # of starting and ending; a finalizer may end it in the thread that starts it
        self._closed = False

    def call(self, element: Any, position: int, key: int | None) -> Any:
        try:
            pipe = self._started()
            pipe.send((on_host(element), position, key))
            succeeded, payload = pipe.recv()
        except (EOFError, ConnectionError, OSError):
            raise self._ended(position) from None
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.end()
            raise DataError(
                f"map cannot send element {position} or its function to a worker process.",
                expected="a function at the top level of a module that can be imported, and elements that pickle takes",
                got=f"{self._function!r}: {error}",
                fix="define the function at the top level of a module, or use workers='threads'",
            ) from None
        if succeeded:
            return payload
        raise _rebuilt(*payload)

    def _started(self) -> Any:
        with self._lock:
            if self._closed:
                raise EOFError
            if self._process is None:
                context = multiprocessing.get_context("spawn")
                self._pipe, other = context.Pipe()
                self._process = context.Process(
                    target=_serve_calls, args=(other, self._function, self._device), name="polytape-data", daemon=True
                )
                try:
                    self._process.start()
                except BaseException:
                    self._process = None
                    self._pipe.close()
                    raise
                finally:
                    other.close()  # so that the end of the process ends the pipe
                if self._closed:  # by a finalizer that ran in this thread while the process started
                    self._process.terminate()
                    raise EOFError
            return self._pipe

    def _ended(self, position: int) -> DataError:
        if self._closed:
            return closed()
        with self._lock:
            process = self._process
        code: Any = "unknown"
        if process is not None:
            process.join()
            code = process.exitcode
        self.end()
        return DataError(
            f"a worker process of map ended while it had element {position}.",
            expected="a result",
            got=f"exit code {code}" + (f" (signal {-code})" if isinstance(code, int) and code < 0 else ""),
            fix="see what the process printed; a program that uses worker processes starts its work under "
            "if __name__ == '__main__':",
        )

    def end(self) -> None:
        """End the process; the next call starts another one."""
        with self._lock:
            process, pipe = self._process, self._pipe
            self._process = self._pipe = None
            if process is not None:
                process.terminate()
                process.join()
                pipe.close()

    def close(self) -> None:
        self._closed = True
        with self._lock:
            process = self._process
            if process is not None and process.pid is not None:  # otherwise `_started` ends it
                process.terminate()  # ends the pipe, and so the call that a thread may be waiting for


def _rebuilt(pickled: bytes, text: str) -> BaseException:
    """The exception that the function raised in a worker process."""
    try:
        error: BaseException = pickle.loads(pickled)
    except Exception:  # whatever the class's own code raises
        error = DataError("a function of map failed in a worker process.", got=text.strip().splitlines()[-1])
    error.add_note(f"traceback in the worker process:\n{text}")
    return error


def _serve_calls(pipe: Any, function: Callable[..., Any], device: str) -> None:
    """What a worker process runs, until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the program ends its workers
    place = selection.resolve_device(device)
    worker = _Local(function, place)
    while True:
        try:
            element, position, key = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer: tuple[bool, Any] = True, on_host(worker.call(element, position, key))
            payload = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            payload = pickle.dumps((False, (_pickled(error), "".join(traceback.format_exception(error)))))
        try:
            pipe.send_bytes(payload)
        except ConnectionError:
            return


def _pickled(error: BaseException) -> bytes:
    notes = getattr(error, "__notes__", None)
    try:
        data = pickle.dumps(error)
        copy = pickle.loads(data)  # some exceptions can be pickled, but not read again
        if notes and getattr(copy, "__notes__", None) != notes:
            raise TypeError("the notes are lost")
        return data
    except Exception:  # whatever the class's own code raises
        return b""
