"""The contestants in each row of ratios.py: polytape first, then plain NumPy, then the other installed libraries.

Import this after ratios.py has set the number of threads, which NumPy's BLAS reads once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from interleave import Call, Statement
from peers import PEERS, installed

import polytape as pt
from polytape_perf.cases.workloads import Linreg, Mlp, NumpyLinreg, NumpyMlp, second_derivative, square_sum_gradient

__all__ = ["installed", "rows"]

OPEN_TAPE_OPS = 200


def numpy_rows() -> dict[str, dict[str, Call]]:
    """Plain NumPy: a ufunc or a hand-written step, the lower bound for any library that computes with NumPy."""
    a, add = np.ones(10, "f4"), np.add
    return {
        "add10": {"numpy": Statement("add(a, a)", add=add, a=a)},
        "scalar": {"numpy": Statement("a + 2.0", a=a)},
        "linreg": {"numpy": NumpyLinreg().step},
        "mlp": {"numpy": NumpyMlp().step},
    }


def polytape_row(row: str) -> dict[str, Call]:
    """polytape's call in a row, and other calls of polytape that it is compared with."""
    a, add = pt.asarray(np.ones(10, "f4")), pt.add

    def adds() -> None:
        for _ in range(OPEN_TAPE_OPS):
            add(a, a)

    def adds_under_tape() -> None:
        with pt.GradientTape():
            for _ in range(OPEN_TAPE_OPS):
                add(a, a)

    makers: dict[str, Callable[[], dict[str, Call]]] = {
        "add10": lambda: {"polytape": Statement("add(a, a)", add=add, a=a)},
        "scalar": lambda: {"polytape": Statement("a + 2.0", a=a)},
        "open tape": lambda: {"polytape": adds_under_tape, "no tape": adds},
        "gradient": lambda: {"polytape": square_sum_gradient()},
        "second": lambda: {"polytape": second_derivative()},
        "linreg": lambda: {"polytape": Linreg().step},
        "mlp": lambda: {"polytape": Mlp().step},
        "traced": lambda: {"polytape": pt.function(Linreg().step), "eager": Linreg().step},
        "traced numba": lambda: {"polytape": pt.function(Linreg("numba").step), "eager": Linreg("numba").step},
    }
    return makers[row]()


def rows(peers: list[str], names: list[str]) -> tuple[dict[str, dict[str, Call]], dict[str, str]]:
    """The contestants of each named row, polytape first; and the rows that polytape cannot run, with the reason."""
    others = [numpy_rows(), *(PEERS[peer]() for peer in peers)]
    contestants: dict[str, dict[str, Call]] = {}
    missing: dict[str, str] = {}
    for row in names:
        try:
            calls = polytape_row(row)
            calls["polytape"]()
        except (ImportError, AttributeError, pt.PolytapeError) as error:
            missing[row] = str(error).splitlines()[0]
            continue
        others_row = "linreg" if row.startswith("traced") else row
        for library in others:
            calls |= {name: call for name, call in library.get(others_row, {}).items() if name not in calls}
        contestants[row] = calls
    return contestants, missing
