"""Random numbers from Philox4x32-10, the same on every backend.

A generator's whole state is a key and a counter (`generator`). A draw reserves the next range of the counter, and the
backend computes the numbers from it. A traced function reads and assigns the state like any other variable. The
functions check their arguments (`arguments`) before they take numbers, draw basic numbers by an op (`basic`), and
compute the distributions from them: `continuous`, `gammas`, `discrete`, `orders`, `multivariate`.

Distributions whose parameters all have defaults take the shape first, the others last. Parameters may be tensors:
``shape`` is the result's shape, to which they broadcast, and by default the shape that they broadcast to. A Python
number outside its range raises an error; an element of a tensor outside it gives NaN, or -1 in an integer dtype.

May import: `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `ops`, `placement`, `plugins`, `registry`,
`state`, `tensors`, `tracebacks`.
"""

from __future__ import annotations

from .basic import integers, normal, uniform
from .continuous import (
    cauchy,
    exponential,
    gumbel,
    laplace,
    logistic,
    pareto,
    rayleigh,
    truncated_normal,
    von_mises,
    weibull,
)
from .discrete import (
    bernoulli,
    binomial,
    categorical,
    geometric,
    multinomial,
    negative_binomial,
    poisson,
)
from .gammas import beta, chi_square, dirichlet, f, gamma, student_t
from .generator import Generator, default_generator, seed
from .multivariate import multivariate_normal, orthogonal
from .orders import choice, permutation, shuffle

__all__ = [
    "Generator",
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "cauchy",
    "chi_square",
    "choice",
    "default_generator",
    "dirichlet",
    "exponential",
    "f",
    "gamma",
    "geometric",
    "gumbel",
    "integers",
    "laplace",
    "logistic",
    "multinomial",
    "multivariate_normal",
    "negative_binomial",
    "normal",
    "orthogonal",
    "pareto",
    "permutation",
    "poisson",
    "rayleigh",
    "seed",
    "shuffle",
    "student_t",
    "truncated_normal",
    "uniform",
    "von_mises",
    "weibull",
]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("random", name)
