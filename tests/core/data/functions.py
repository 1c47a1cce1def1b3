"""Functions that worker processes import."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


def double(x: Any) -> Any:
    return x * 2


def process_of(x: Any) -> Any:
    return x, os.getpid()


def fail_at_three(x: Any) -> Any:
    if int(x) == 3:
        raise KeyError("three")
    return x


class Unpicklable(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def fail_oddly(x: Any) -> Any:
    raise Unpicklable(1, 2)


def die_at_three(x: Any) -> Any:
    if int(x) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def sleep_long(x: Any) -> Any:
    time.sleep(600)
    return x


def random_number(x: Any, generator: Any) -> Any:
    import polytape as pt

    return pt.random.uniform(generator=generator)
