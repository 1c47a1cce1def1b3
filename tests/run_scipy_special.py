"""Measure polytape's special functions in ulp: `python tests/run_scipy_special.py [NAMES] [--write]`.

The environment needs SciPy and mpmath. Each function is computed on thousands of operands: from subnormal to huge, of
both signs, near zeros and poles. Where polytape and SciPy differ most, and at random operands, mpmath with 50 digits
decides. ``--write`` writes the table into docs/oracles.md. The exit status is 1 if a figure is above its limit.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import scipy.special as sc

import polytape as pt

sys.path.insert(0, str(Path(__file__).resolve().parent))
mp.mp.dps = 50

Array = np.ndarray
HALF_LOG_TWO_PI = mp.log(2 * mp.pi) / 2


@dataclass(frozen=True)
class Function:
    """One function and how its error is measured.

    Attributes:
        ours: of tensors. theirs: SciPy's of arrays, or None. exact: of mpmath numbers.
        operands: from a random generator and a number of points, the arrays of operands.
        limits: the largest errors allowed, in ulp, for float64 and float32.
        least: errors are measured in ulp of max(abs(result), least): for functions with zeros that are not
            representable numbers.
        range: of the operands, for the table.
    """

    ours: Callable[..., Any]
    theirs: Callable[..., Any] | None
    exact: Callable[..., Any]
    operands: Callable[[np.random.Generator, int], tuple[Array, ...]]
    limits: tuple[float, float]
    range: str
    least: float = 0.0


def signed(values: Array) -> Array:
    return np.concatenate([values, -values])


def magnitudes(rng: np.random.Generator, n: int, low: float = -323.0, high: float = 308.0) -> Array:
    """Positive numbers, uniform in their logarithm."""
    return 10.0 ** rng.uniform(low, high, n)


def everywhere(largest: float = 30.0) -> Callable[[np.random.Generator, int], tuple[Array, ...]]:
    """All magnitudes and both signs, most of them below ``largest``."""
    return lambda rng, n: (np.concatenate([rng.uniform(-largest, largest, n), signed(magnitudes(rng, n // 4))]),)


def positive(largest: float = 40.0) -> Callable[[np.random.Generator, int], tuple[Array, ...]]:
    return lambda rng, n: (np.concatenate([rng.uniform(0, largest, n), magnitudes(rng, n // 2)]),)


def probabilities(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    near_one = 1 - 2.0 ** -rng.uniform(1, 53, n // 4)
    return (np.concatenate([rng.uniform(0, 1, n), magnitudes(rng, n // 2, -323, -1), near_one]),)


def inside(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    return (np.concatenate([signed(part) for part in (*probabilities(rng, n // 2),)]),)


def gamma_points(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    """Also near the poles and near the zeros of lgamma at 1 and 2."""
    near = np.concatenate([k + signed(magnitudes(rng, n // 40, -15, -1)) for k in (-20, -3, -2, -1, 0, 1, 2, 3)])
    return (np.concatenate([rng.uniform(-30, 40, n), near, magnitudes(rng, n // 2, -323, 305)]),)


def pairs(a: Any, b: Any) -> Callable[[np.random.Generator, int], tuple[Array, ...]]:
    """Two operands whose logarithms to base 10 are uniform between the given numbers."""
    return lambda rng, n: (magnitudes(rng, n, *a), magnitudes(rng, n, *b))


def near_pairs(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    """Two operands; half of the pairs differ by little."""
    a, b = magnitudes(rng, n, -3, 3), magnitudes(rng, n, -3, 3)
    return a, np.concatenate([a[: n // 2] * (1 + signed(magnitudes(rng, n // 4, -6, -0.5))), b[n // 2 :]])


def gamma_pairs(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    a = magnitudes(rng, n, -3, 4)
    return a, np.concatenate([a[: n // 2] * rng.uniform(0.2, 3, n // 2), magnitudes(rng, n - n // 2, -8, 5)])


def beta_triples(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
    return magnitudes(rng, n, -2, 3), magnitudes(rng, n, -2, 3), rng.uniform(0, 1, n)


def log_ndtr(x: Any) -> Any:
    return mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2) if x > 0 else mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def ndtri(p: Any) -> Any:
    """By bisection's successor on the logarithm, at a precision at which 2 p - 1 keeps p's digits."""
    with mp.workdps(60 + int(max(0, -mp.log10(min(p, 1 - p))))):
        return +(mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1))


def erfinv(x: Any) -> Any:
    return mp.erfinv(x)


def xlogy(x: Any, y: Any) -> Any:
    return x * mp.log(y) if x else mp.mpf(0)


def zeta(x: Any, q: Any) -> Any:
    """With 50 digits relative to the result, not to 1."""
    with mp.workdps(60 + int(max(0, x * mp.log10(q)))):
        return +mp.zeta(x, q)


def polygamma(n: int) -> tuple[Any, Any, Any]:
    return (
        lambda x: pt.special.polygamma(n, x),
        lambda x: sc.polygamma(n, x),
        lambda x: mp.psi(n, x),
    )


def betaln(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def incomplete(a: Any, x: Any, upper: bool) -> Any:
    """By the series of the lower function, with as many digits as its complement loses."""
    if upper and x > 2 * a + 100:
        return mp.gammainc(a, x, mp.inf, regularized=True)
    with mp.workdps(80 + int(min(700, max(0, x - a)))):
        lower = mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * mp.hyp1f1(1, a + 1, x)
        return +(1 - lower if upper else lower)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """By the series that converges fast on this side of the mean."""

    def below(a: Any, b: Any, x: Any) -> Any:
        front = a * mp.log(x) + b * mp.log1p(-x) - betaln(a, b)
        return mp.exp(front) / a * mp.hyp2f1(a + b, 1, a + 1, x)

    with mp.workdps(80):
        return +(below(a, b, x) if x < a / (a + b) else 1 - below(b, a, 1 - x))


special, nn = pt.special, pt.nn
FUNCTIONS: dict[str, Function] = {
    "special.erf": Function(special.erf, sc.erf, mp.erf, everywhere(6), (4, 4), "all"),
    "special.erfc": Function(special.erfc, sc.erfc, mp.erfc, everywhere(27), (4, 6), "all"),
    "special.erfcx": Function(
        special.erfcx, sc.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x), everywhere(26), (8, 8), "all"
    ),
    "special.erfinv": Function(special.erfinv, sc.erfinv, erfinv, inside, (6, 6), "-1 to 1"),
    "special.ndtr": Function(special.ndtr, sc.ndtr, mp.ncdf, everywhere(38), (4, 6), "all"),
    "special.log_ndtr": Function(special.log_ndtr, sc.log_ndtr, log_ndtr, everywhere(40), (8, 6), "all"),
    "special.ndtri": Function(special.ndtri, sc.ndtri, ndtri, probabilities, (8, 8), "0 to 1"),
    "special.lgamma": Function(
        special.lgamma, sc.gammaln, lambda x: mp.re(mp.loggamma(x)), gamma_points, (8, 8), "all", 1.0
    ),
    "special.digamma": Function(special.digamma, sc.digamma, mp.digamma, gamma_points, (8, 8), "all", 1.0),
    "special.polygamma(1, x)": Function(*polygamma(1), positive(), (16, 16), "positive"),
    "special.polygamma(2, x)": Function(*polygamma(2), positive(), (16, 16), "positive"),
    "special.zeta": Function(
        special.zeta,
        sc.zeta,
        zeta,
        lambda rng, n: (1 + magnitudes(rng, n, -3, 1.7), magnitudes(rng, n, -2, 3)),
        (16, 16),
        "x from 1.001 to 51, q from 0.01 to 1000",
    ),
    "special.beta": Function(special.beta, sc.beta, mp.beta, pairs((-2, 2), (-2, 2)), (256, 256), "0.01 to 100"),
    "special.betaln": Function(
        special.betaln, sc.betaln, betaln, pairs((-3, 5), (-3, 5)), (16, 16), "0.001 to 100000", 1.0
    ),
    "special.gammainc": Function(
        special.gammainc,
        sc.gammainc,
        lambda a, x: incomplete(a, x, False),
        gamma_pairs,
        (2048, 2048),
        "a from 0.001 to 10000",
    ),
    "special.gammaincc": Function(
        special.gammaincc,
        sc.gammaincc,
        lambda a, x: incomplete(a, x, True),
        gamma_pairs,
        (2048, 2048),
        "a from 0.001 to 10000",
    ),
    "special.betainc": Function(
        special.betainc,
        sc.betainc,
        betainc,
        beta_triples,
        (4096, 4096),
        "a and b from 0.01 to 1000",
    ),
    "special.i0": Function(special.i0, sc.i0, lambda x: mp.besseli(0, x), everywhere(700), (16, 16), "all"),
    "special.i0e": Function(
        special.i0e, sc.i0e, lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), everywhere(700), (8, 8), "all"
    ),
    "special.i1": Function(special.i1, sc.i1, lambda x: mp.besseli(1, x), everywhere(700), (16, 16), "all"),
    "special.i1e": Function(
        special.i1e, sc.i1e, lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), everywhere(700), (8, 8), "all"
    ),
    "special.entr": Function(special.entr, sc.entr, lambda x: -xlogy(x, x), positive(), (4, 4), "positive"),
    "special.logit": Function(
        special.logit, sc.logit, lambda p: mp.log(p) - mp.log1p(-p), probabilities, (4, 4), "0 to 1"
    ),
    "special.xlogy": Function(special.xlogy, sc.xlogy, xlogy, pairs((-100, 100), (-300, 300)), (4, 4), "positive"),
    "special.xlog1py": Function(
        special.xlog1py, sc.xlog1py, lambda x, y: x * mp.log1p(y), pairs((-100, 100), (-300, 300)), (4, 4), "positive"
    ),
    "special.rel_entr": Function(
        special.rel_entr,
        sc.rel_entr,
        lambda x, y: x * (mp.log(x) - mp.log(y)),
        near_pairs,
        (4, 4),
        "0.001 to 1000",
    ),
    "special.kl_div": Function(
        special.kl_div,
        sc.kl_div,
        lambda x, y: x * (mp.log(x) - mp.log(y)) - x + y,
        near_pairs,
        (8, 8),
        "0.001 to 1000",
    ),
    "sinc": Function(pt.sinc, np.sinc, lambda x: mp.sincpi(x), everywhere(4), (8, 8), "-4 to 4, and all", 0.1),
    "nn.sigmoid": Function(nn.sigmoid, sc.expit, lambda x: 1 / (1 + mp.exp(-x)), everywhere(40), (4, 4), "all"),
    "nn.log_sigmoid": Function(
        nn.log_sigmoid, sc.log_expit, lambda x: -mp.log1p(mp.exp(-x)), everywhere(40), (4, 4), "all"
    ),
    "nn.softplus": Function(
        nn.softplus, lambda x: -sc.log_expit(-x), lambda x: mp.log1p(mp.exp(x)), everywhere(40), (4, 4), "all"
    ),
    "nn.silu": Function(
        nn.silu, lambda x: x * sc.expit(x), lambda x: x / (1 + mp.exp(-x)), everywhere(40), (4, 4), "all"
    ),
    "nn.gelu": Function(nn.gelu, lambda x: x * sc.ndtr(x), lambda x: x * mp.ncdf(x), everywhere(36), (8, 64), "all"),
    "nn.mish": Function(nn.mish, None, lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), everywhere(40), (8, 8), "all"),
}


def evaluated(function: Function, operands: tuple[Array, ...], backend: str) -> Array:
    """polytape's results."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function.ours(*(pt.asarray(x, device=backend) for x in operands)).numpy()


def errors(function: Function, operands: tuple[Array, ...], results: Array, other: Array | None) -> Array:
    """The errors of results in ulp of their dtype; infinite for a result that should be finite and is not.

    Where mpmath fails, such as for erfc(1e300), SciPy's result counts if it is 0, 1, 2 or infinite.
    """
    dtype = results.dtype
    info = np.finfo(dtype)
    found = np.zeros(results.size)
    for k in range(results.size):
        arguments = [mp.mpf(float(x[k])) for x in operands]
        try:
            exact = mp.re(function.exact(*arguments))
        except (ValueError, ZeroDivisionError, OverflowError, mp.libmp.libhyper.NoConvergence):
            limit = np.nan if other is None else float(other[k])
            plain = limit in (0.0, 1.0, 2.0) or np.isinf(limit)
            found[k] = np.nan if not plain else 0.0 if limit == results[k] else np.inf
            continue
        got = float(results[k])
        size = max(abs(exact), function.least)
        if not mp.isfinite(exact):
            found[k] = 0.0 if np.isinf(got) else np.inf
            continue
        if size > float(info.max):
            found[k] = 0.0 if np.isinf(got) or abs(got) > 0.99 * float(info.max) else np.inf
            continue
        exponent = mp.floor(mp.log(size, 2)) if size else info.minexp
        unit = mp.ldexp(1, int(max(exponent, info.minexp)) - info.nmant)
        found[k] = float(abs(mp.mpf(got) - exact) / unit) if np.isfinite(got) else np.inf
    return found


@dataclass
class Figure:
    """The largest errors of one function for one dtype, and where polytape's is largest."""

    ours: dict[str, float]
    theirs: float
    worst: tuple[float, ...]


def measured(function: Function, dtype: str, backends: list[str], points: int, checks: int) -> Figure:
    """Compare on many operands; mpmath decides where the implementations differ most."""
    rng = np.random.default_rng(20260701)
    with np.errstate(all="ignore"):
        operands = tuple(x.astype(dtype) for x in function.operands(rng, points))
    keep = np.all([np.isfinite(x) for x in operands], axis=0)
    operands = tuple(x[keep] for x in operands)
    results = {backend: evaluated(function, operands, backend) for backend in backends}
    chosen = set(rng.choice(operands[0].size, checks, replace=False).tolist())
    with np.errstate(all="ignore"):
        wide = [x.astype("float64") for x in operands]
        other = None if function.theirs is None else function.theirs(*wide)
        if other is not None:
            for values in results.values():
                size = np.maximum(np.maximum(np.abs(other), function.least), np.finfo(dtype).tiny)
                gap = np.abs(values.astype("float64") - other) / size
                gap[(values == other) | (np.isnan(values) & np.isnan(other))] = 0
                gap[np.isnan(gap)] = np.inf
                chosen.update(np.argsort(gap)[-checks:].tolist())
    order = np.array(sorted(chosen))
    few = tuple(x[order] for x in operands)
    figures, worst = {}, ()
    for backend, values in results.items():
        found = errors(function, few, values[order], None if other is None else other[order])
        place = int(np.nanargmax(found))
        figures[backend] = float(found[place])
        worst = tuple(float(x[place]) for x in few)
    theirs = np.nan
    if other is not None and dtype == "float64":
        theirs = float(np.nanmax(errors(function, few, other[order], other[order])))
    return Figure(figures, theirs, worst)


def main() -> int:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--backends", default="numpy,numba")
    parser.add_argument("--points", type=int, default=4000, help="operands per function")
    parser.add_argument("--checks", type=int, default=60, help="operands per function that mpmath decides")
    parser.add_argument("--write", action="store_true", help="write docs/oracles.md")
    options = parser.parse_args()
    backends = options.backends.split(",")
    rows, failed = [], 0
    for name, function in FUNCTIONS.items():
        if options.names and name not in options.names:
            continue
        cells = []
        for dtype, limit in zip(("float64", "float32"), function.limits, strict=True):
            figure = measured(function, dtype, backends, options.points, options.checks)
            bad = not max(figure.ours.values()) <= limit
            failed += bad
            shown = " ".join(f"{value:.2f}" for value in figure.ours.values())
            print(f"{name} {dtype}: {shown} ulp, SciPy {figure.theirs:.2f}, worst at {figure.worst}"
                  f"{' ABOVE ' + str(limit) if bad else ''}", flush=True)  # fmt: skip
            cells.append(figure)
        rows.append((name, function, cells))
    if options.write:
        write(rows, backends)
    return 1 if failed else 0


def shown(error: float) -> str:
    """An error in ulp, with the digits that matter."""
    return f"{error:.1f}" if error < 100 else f"{error:.0f}" if error < 1e5 else f"{error:.0e}"


def write(rows: list[Any], backends: list[str]) -> None:
    """Write the table into docs/oracles.md."""
    runner: Any = importlib.import_module("run_opinfo")
    heads = [f"{backend}, {dtype}" for dtype in ("float64", "float32") for backend in backends]
    lines = [f"| function | operands | {' | '.join(heads)} | SciPy, float64 |", "|---" * (len(heads) + 3) + "|"]
    for name, function, cells in rows:
        figures = [shown(value) for figure in cells for value in figure.ours.values()]
        theirs = "" if np.isnan(cells[0].theirs) else shown(cells[0].theirs)
        mark = "" if not function.least else f" (*{function.least:g}*)"
        lines.append(f"| `pt.{name}` | {function.range}{mark} | {' | '.join(figures)} | {theirs} |")
    text = runner.PAGE.read_text(encoding="utf-8")
    runner.PAGE.write_text(runner.replaced(text, "special", "\n".join(lines) + "\n"), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
