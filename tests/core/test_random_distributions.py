"""Draws from distributions, against scipy's distribution functions; all are seeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import polytape as pt
from polytape import random
from polytape.errors import BackendError, DTypeError, SettingError, ShapeError

N = 20_000

CONTINUOUS = [
    ("exponential", lambda **k: random.exponential((N,), 3.0, **k), stats.expon(scale=3.0)),
    ("gumbel", lambda **k: random.gumbel((N,), 1.0, 2.0, **k), stats.gumbel_r(1.0, 2.0)),
    ("laplace", lambda **k: random.laplace((N,), -1.0, 0.5, **k), stats.laplace(-1.0, 0.5)),
    ("logistic", lambda **k: random.logistic((N,), 2.0, 3.0, **k), stats.logistic(2.0, 3.0)),
    ("cauchy", lambda **k: random.cauchy((N,), 2.0, 3.0, **k), stats.cauchy(2.0, 3.0)),
    ("rayleigh", lambda **k: random.rayleigh((N,), 2.0, **k), stats.rayleigh(scale=2.0)),
    ("weibull", lambda **k: random.weibull(1.7, 2.0, N, **k), stats.weibull_min(1.7, scale=2.0)),
    ("pareto", lambda **k: random.pareto(2.5, 3.0, N, **k), stats.pareto(2.5, scale=3.0)),
    ("truncated_normal", lambda **k: random.truncated_normal(N, **k), stats.truncnorm(-2.0, 2.0)),
    ("upper tail", lambda **k: random.truncated_normal(N, low=4.0, high=5.0, **k), stats.truncnorm(4.0, 5.0)),
    ("half", lambda **k: random.truncated_normal(N, low=0.0, high=np.inf, **k), stats.halfnorm()),
    ("von_mises", lambda **k: random.von_mises(0.0, 2.0, N, **k), stats.vonmises(2.0)),
    ("von_mises, large", lambda **k: random.von_mises(0.0, 1e6, N, **k), stats.norm(scale=1e-3)),
    ("gamma", lambda **k: random.gamma(2.5, 2.0, N, **k), stats.gamma(2.5, scale=2.0)),
    ("gamma, small", lambda **k: random.gamma(0.3, shape=N, **k), stats.gamma(0.3)),
    ("gamma, large", lambda **k: random.gamma(1e6, shape=N, **k), stats.gamma(1e6)),
    ("beta", lambda **k: random.beta(2.0, 0.5, N, **k), stats.beta(2.0, 0.5)),
    ("chi_square", lambda **k: random.chi_square(3.0, N, **k), stats.chi2(3.0)),
    ("student_t", lambda **k: random.student_t(4.0, N, **k), stats.t(4.0)),
    ("f", lambda **k: random.f(3.0, 7.0, N, **k), stats.f(3.0, 7.0)),
]  # fmt: skip
DISCRETE = [
    ("geometric", lambda **k: random.geometric(0.2, N, **k), stats.geom(0.2)),
    ("poisson, small", lambda **k: random.poisson(3.5, N, **k), stats.poisson(3.5)),
    ("poisson", lambda **k: random.poisson(30.0, N, **k), stats.poisson(30.0)),
    ("poisson, large", lambda **k: random.poisson(1e5, N, **k), stats.poisson(1e5)),
    ("binomial, small", lambda **k: random.binomial(12, 0.3, N, **k), stats.binom(12, 0.3)),
    ("binomial", lambda **k: random.binomial(100, 0.7, N, **k), stats.binom(100, 0.7)),
    ("binomial, large", lambda **k: random.binomial(10**6, 0.25, N, **k), stats.binom(10**6, 0.25)),
    ("negative_binomial", lambda **k: random.negative_binomial(5, 0.3, N, **k), stats.nbinom(5, 0.3)),
]  # fmt: skip
Make = Callable[..., pt.Tensor]


@pytest.fixture(scope="module")
def sim() -> Any:
    """The device name of the sim backend, which is registered here if it is not installed."""
    try:
        pt.get_backend("sim")
        yield "sim"
    except BackendError:
        plugin = pytest.importorskip("polytape_sim.plugin", reason="polytape-sim is not on the path")
        with pt.register_backend(plugin.polytape_backend()):
            yield "sim"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "make", "law"), CONTINUOUS, ids=[entry[0] for entry in CONTINUOUS])
def test_numbers_follow_their_distribution(name: str, make: Make, law: Any, dtype: str) -> None:
    x = make(dtype=dtype, generator=random.Generator(31))
    assert x.dtype.name == dtype and x.shape == (N,)
    numbers = x.numpy().astype("float64")
    assert stats.kstest(numbers, law.cdf).pvalue > 1e-3
    if name not in ("cauchy", "pareto", "student_t", "f"):  # their higher moments are infinite
        assert abs(numbers.mean() - law.mean()) < 5.0 * law.std() / N**0.5
        assert abs(numbers.std() / law.std() - 1.0) < 0.06


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint32"])
@pytest.mark.parametrize(("name", "make", "law"), DISCRETE, ids=[entry[0] for entry in DISCRETE])
def test_counts_follow_their_distribution(name: str, make: Make, law: Any, dtype: str) -> None:
    x = make(dtype=dtype, generator=random.Generator(32))
    assert x.dtype.name == dtype and x.shape == (N,)
    edges = np.unique(law.ppf(np.linspace(0.01, 0.99, 40)))
    expected = N * np.diff([0.0, *law.cdf(edges), 1.0])
    seen, _ = np.histogram(x.numpy(), [-0.5, *(edges + 0.5), np.inf])
    assert stats.chisquare(seen, expected).pvalue > 1e-3
    assert abs(x.numpy().mean() - law.mean()) < 5.0 * law.std() / N**0.5
    assert abs(x.numpy().std() / law.std() - 1.0) < 0.06


@pytest.mark.parametrize(("name", "make", "law"), CONTINUOUS + DISCRETE, ids=[e[0] for e in CONTINUOUS + DISCRETE])
def test_the_sim_backend_and_a_traced_function_draw_the_same(name: str, make: Make, law: Any, sim: str) -> None:
    host = make(generator=random.Generator(3))
    other = make(generator=random.Generator(3), device=sim)
    generator = random.Generator(3)
    traced = pt.function(lambda: make(generator=generator))()
    assert other.device.backend == "sim"
    for y in (other, traced):
        if host.dtype.name == "int64":
            assert y.tolist() == host.tolist()
        else:
            np.testing.assert_allclose(y.numpy(), host.numpy(), rtol=1e-5, atol=1e-5)


def test_bernoulli_is_true_as_often_as_it_should_be() -> None:
    p = pt.asarray([0.0, 1e-4, 0.3, 1.0, -0.5, 1.5, float("nan")])
    truths = random.bernoulli(p, (100_000, 7), generator=random.Generator(4)).numpy()
    assert truths.dtype == bool
    frequency = truths.mean(axis=0)
    assert frequency[[0, 3, 4, 6]].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert frequency[1] == pytest.approx(1e-4, abs=2e-4)
    assert frequency[2] == pytest.approx(0.3, abs=0.01)
    assert random.bernoulli(1.0, (1000,), dtype="int32", generator=random.Generator(4)).tolist() == [1] * 1000


def test_categories_are_as_frequent_as_their_probabilities() -> None:
    p = np.array([0.1, 0.0, 0.6, 0.3])
    with np.errstate(divide="ignore"):
        logits = pt.asarray(np.log(p).astype("float32") + 5.0)
    drawn = random.categorical(logits, N, generator=random.Generator(5))
    assert drawn.dtype.name == "int64"
    seen = np.bincount(drawn.numpy(), minlength=4)
    assert seen[1] == 0
    assert stats.chisquare(seen[[0, 2, 3]], N * p[[0, 2, 3]]).pvalue > 1e-3
    assert random.categorical(pt.zeros((3, 1, 4)), (3, 5)).shape == (3, 5)


def test_multinomial_counts_add_up_and_have_binomial_margins() -> None:
    p = np.array([1.0, 0.0, 5.0, 4.0])
    counts = random.multinomial(30, p, N, generator=random.Generator(6)).numpy()
    assert counts.shape == (N, 4) and (counts.sum(axis=1) == 30).all() and (counts >= 0).all()
    assert not counts[:, 1].any()
    for k in (0, 2, 3):
        law = stats.binom(30, p[k] / 10.0)
        edges = np.unique(law.ppf(np.linspace(0.02, 0.98, 15)))
        seen, _ = np.histogram(counts[:, k], [-0.5, *(edges + 0.5), np.inf])
        assert stats.chisquare(seen, N * np.diff([0.0, *law.cdf(edges), 1.0])).pvalue > 1e-3
    assert random.multinomial(pt.asarray([3, 4]), [[0.5, 0.5]]).numpy().sum(axis=1).tolist() == [3, 4]


def test_dirichlet_vectors_sum_to_1_and_have_beta_margins() -> None:
    alpha = np.array([0.5, 2.0, 3.5], "float32")
    x = random.dirichlet(alpha, N, generator=random.Generator(7)).numpy().astype("float64")
    np.testing.assert_allclose(x.sum(axis=1), 1.0, atol=1e-6)
    for k in range(3):
        assert stats.kstest(x[:, k], stats.beta(alpha[k], 6.0 - alpha[k]).cdf).pvalue > 1e-3
    tiny = random.dirichlet(np.full(4, 1e-3, "float32"), 100, generator=random.Generator(7)).numpy()
    np.testing.assert_allclose(tiny.sum(axis=1), 1.0, atol=1e-6)


def test_tiny_shape_parameters_give_beta_numbers_near_0_and_1_but_never_nan() -> None:
    x = random.beta(1e-4, 1e-4, 5000, generator=random.Generator(8)).numpy()
    assert not np.isnan(x).any()
    assert (x < 0.5).mean() == pytest.approx(0.5, abs=0.03)


def test_multivariate_normal_numbers_have_their_covariance() -> None:
    mean, cov = pt.asarray([1.0, -2.0]), pt.asarray([[2.0, 0.6], [0.6, 0.5]])
    x = random.multivariate_normal(mean, cov, N, generator=random.Generator(9)).numpy().astype("float64")
    np.testing.assert_allclose(np.cov(x.T), cov.numpy(), atol=0.05)
    whitened = np.linalg.solve(np.linalg.cholesky(cov.numpy().astype("float64")), (x - mean.numpy()).T)
    assert stats.kstest(whitened.ravel(), "norm").pvalue > 1e-3
    assert random.multivariate_normal(pt.zeros((3, 2)), cov).shape == (3, 2)
    with pytest.raises(ShapeError, match="multivariate_normal cannot use this mean"):
        random.multivariate_normal([0.0, 0.0, 0.0], cov)


@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 3), (3, 5), (1, 1)])
def test_orthogonal_matrices_have_orthonormal_columns_or_rows(shape: tuple[int, ...]) -> None:
    x = random.orthogonal(shape, dtype="float64", generator=random.Generator(10)).numpy()
    assert x.shape == shape
    tall = x if shape[-2] >= shape[-1] else np.swapaxes(x, -1, -2)
    np.testing.assert_allclose(
        np.swapaxes(tall, -1, -2) @ tall,
        np.broadcast_to(np.eye(tall.shape[-1]), (*shape[:-2], tall.shape[-1], tall.shape[-1])),
        atol=1e-13,
    )


def test_orthogonal_matrices_are_uniformly_distributed() -> None:
    first = random.orthogonal((2000, 3, 3), generator=random.Generator(10)).numpy()[:, 0, 0]
    assert stats.kstest(first, stats.uniform(-1.0, 2.0).cdf).pvalue > 1e-3  # Archimedes: a coordinate on the sphere


def test_permutations_are_uniformly_distributed_and_shuffles_move_slices() -> None:
    generator = random.Generator(11)
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(2400):
        order = tuple(random.permutation(4, generator=generator).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3
    x = pt.asarray(np.arange(12).reshape(3, 4))
    for axis in (0, 1, -1):
        shuffled = random.shuffle(x, axis=axis, generator=random.Generator(12)).numpy()
        order = random.permutation(x.shape[axis], generator=random.Generator(12)).numpy()
        np.testing.assert_array_equal(shuffled, np.take(x.numpy(), order, axis=axis))
    same = random.permutation(x, generator=random.Generator(12)).numpy()
    np.testing.assert_array_equal(same, random.shuffle(x, generator=random.Generator(12)).numpy())
    assert random.permutation(0).shape == (0,)
    assert sorted(random.permutation([3, 1, 2]).tolist()) == [1, 2, 3]


def test_choices_follow_their_probabilities() -> None:
    p = np.array([0.5, 0.0, 0.2, 0.3])
    generator = random.Generator(13)
    seen = np.bincount(random.choice(4, N, p=p, generator=generator).numpy(), minlength=4)
    assert seen[1] == 0
    assert stats.chisquare(seen[[0, 2, 3]], N * p[[0, 2, 3]]).pvalue > 1e-3
    seen = np.bincount(random.choice(5, N, generator=generator).numpy())
    assert stats.chisquare(seen).pvalue > 1e-3
    pairs = [
        tuple(random.choice(3, 2, replace=False, p=[0.5, 0.3, 0.2], generator=generator).tolist()) for _ in range(3000)
    ]
    # The second of two choices is among the elements that are left: 0.5 * 0.3 / 0.5, ...
    for pair, expected in {(0, 1): 0.3, (0, 2): 0.2, (1, 0): 0.3 * 0.5 / 0.7, (2, 1): 0.2 * 0.3 / 0.8}.items():
        assert pairs.count(pair) / 3000 == pytest.approx(expected, abs=0.035)
    every = random.choice(6, 6, replace=False, generator=generator)
    assert sorted(every.tolist()) == [0, 1, 2, 3, 4, 5]


def test_a_choice_replaces_the_axis_by_the_axes_of_its_shape() -> None:
    x = pt.asarray(np.arange(12.0, dtype="float32").reshape(3, 4))
    assert random.choice(x, (2, 5), axis=1).shape == (3, 2, 5)
    chosen = random.choice(x, (), generator=random.Generator(1)).tolist()
    assert chosen in x.tolist()
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = random.choice(x, 4, replace=False, axis=1)
    assert tape.gradient(y, x).tolist() == [[1.0] * 4] * 3


LOCATION_SCALE = [random.gumbel, random.laplace, random.logistic, random.cauchy, random.normal]


@pytest.mark.parametrize("draw", LOCATION_SCALE, ids=lambda draw: draw.__name__)
def test_location_and_scale_may_be_tensors_and_have_gradients(draw: Any) -> None:
    loc, scale = pt.asarray([[1.0], [2.0]]), pt.asarray([0.5, 3.0, 0.0])
    with pt.GradientTape() as tape:
        tape.watch(loc)
        tape.watch(scale)
        y = draw(None, loc, scale, generator=random.Generator(14))
    standard = draw((2, 3), generator=random.Generator(14)).numpy()
    np.testing.assert_allclose(y.numpy(), standard * scale.numpy() + loc.numpy(), rtol=1e-5, atol=1e-6)
    by_loc, by_scale = tape.gradient(y, [loc, scale])
    assert by_loc.tolist() == [[3.0], [3.0]]
    np.testing.assert_allclose(by_scale.numpy(), standard.sum(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("draw", "values"),
    [
        (lambda s, **k: random.exponential((4,), s, **k), [2.0]),
        (lambda s, **k: random.rayleigh((4,), s, **k), [2.0]),
        (lambda a, s, **k: random.weibull(a, s, 4, **k), [1.5, 2.0]),
        (lambda a, s, **k: random.pareto(a, s, 4, **k), [1.5, 2.0]),
        (lambda low, high, **k: random.uniform((4,), low, high, **k), [-1.0, 2.0]),
        (lambda *p, **k: random.truncated_normal((4,), *p, **k), [1.0, 2.0, -1.5, 0.5]),
        (lambda m, k, **kw: random.von_mises(m, 3.0 + 0.0 * k, 4, **kw), [0.1, 1.0]),
    ],
    ids=["exponential", "rayleigh", "weibull", "pareto", "uniform", "truncated_normal", "von_mises"],
)
def test_draws_by_inversion_are_differentiable_in_their_parameters(draw: Any, values: list[float]) -> None:
    parameters = [pt.asarray(value, dtype="float64") for value in values]
    pt.check_gradients(lambda *p: draw(*p, generator=random.Generator(15)), parameters, order=2)


def test_rejection_and_discrete_draws_have_no_gradient() -> None:
    a = pt.asarray([2.0, 3.0])
    with pt.GradientTape() as tape:
        tape.watch(a)
        y = random.gamma(a) * a
    np.testing.assert_allclose(tape.gradient(y, a).numpy(), y.numpy() / a.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda g: random.exponential((2,), -1.0, generator=g), r"exponential cannot use scale=-1\.0"),
        (lambda g: random.laplace((2,), 0.0, -2, generator=g), "laplace cannot use scale=-2"),
        (lambda g: random.gumbel((2,), float("nan"), generator=g), "gumbel cannot use loc=nan"),
        (lambda g: random.weibull(0.0, generator=g), r"weibull cannot use a=0\.0"),
        (lambda g: random.gamma(-1, generator=g), "gamma cannot use a=-1"),
        (lambda g: random.beta(1.0, 0.0, generator=g), r"beta cannot use b=0\.0"),
        (lambda g: random.bernoulli(1.5, generator=g), r"bernoulli cannot use p=1\.5"),
        (lambda g: random.geometric(0.0, generator=g), r"geometric cannot use p=0\.0"),
        (lambda g: random.binomial(10, -0.1, generator=g), r"binomial cannot use p=-0\.1"),
        (lambda g: random.binomial(2.5, 0.1, generator=g), r"binomial cannot use n=2\.5"),
        (lambda g: random.poisson(-3, generator=g), "poisson cannot use lam=-3"),
        (lambda g: random.von_mises(0.0, -1.0, generator=g), r"von_mises cannot use kappa=-1\.0"),
        (lambda g: random.truncated_normal(2, low=2.0, high=1.0, generator=g), "truncated_normal cannot draw"),
        (lambda g: random.choice(3, 4, replace=False, generator=g), "choice cannot take 4 of 3"),
    ],
)
def test_a_number_outside_its_range_is_named_and_leaves_the_stream_unchanged(call: Any, text: str) -> None:
    generator = random.Generator(1)
    with pytest.raises(SettingError, match=text):
        call(generator)
    assert generator.state.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g: random.normal((2,), pt.zeros(3), generator=g), ShapeError, r"normal: .* do not broadcast to \(2,\)"),
        (lambda g: random.normal(None, pt.ones(3), pt.ones(2), generator=g), ShapeError, "normal: .* do not broadcast"),
        (lambda g: random.poisson(pt.ones((2, 3)), 3, generator=g), ShapeError, "poisson: .* do not broadcast"),
        (lambda g: random.exponential(-1, generator=g), ShapeError, "a size is negative"),
        (lambda g: random.categorical(1.0, generator=g), ShapeError, "categorical needs vectors as logits"),
        (lambda g: random.dirichlet(pt.ones((2, 0)), generator=g), ShapeError, "dirichlet needs vectors as alpha"),
        (lambda g: random.multinomial(3, 1.0, generator=g), ShapeError, "multinomial needs vectors as p"),
        (lambda g: random.choice(0, 1, generator=g), ShapeError, "nothing to choose from"),
        (lambda g: random.choice(3, p=[0.5, 0.5], generator=g), ShapeError, "a probability per element"),
        (lambda g: random.shuffle(pt.ones(3), axis=1, generator=g), ShapeError, "there is no axis 1"),
        (lambda g: random.orthogonal((3,), generator=g), ShapeError, "shape of a matrix"),
        (lambda g: random.poisson(1.0, dtype="float32", generator=g), DTypeError, "random numbers of float32"),
        (lambda g: random.gumbel(dtype="int32", generator=g), DTypeError, "random numbers of int32"),
        (lambda g: random.gumbel((2,), pt.asarray(1j), generator=g), DTypeError, "gumbel cannot use complex"),
        (lambda g: random.gamma("2", generator=g), DTypeError, "gamma cannot use '2' as a"),
        (lambda g: random.choice("abc", generator=g), DTypeError, "choice cannot choose from 'abc'"),
    ],
)  # fmt: skip
def test_unsuitable_arguments_are_rejected_and_leave_the_stream_unchanged(call: Any, error: Any, text: str) -> None:
    generator = random.Generator(1)
    with pytest.raises(error, match=text):
        call(generator)
    assert generator.state.tolist() == [1, 0]


def test_elements_of_tensors_outside_their_range_give_nan_or_minus_1() -> None:
    bad = pt.asarray([-1.0, 1.0, float("nan")])
    for numbers in (
        random.exponential(None, bad),
        random.rayleigh(None, bad),
        random.gamma(bad),
        random.chi_square(bad),
        random.student_t(bad),
        random.weibull(bad),
        random.uniform(None, 0.5, bad),
    ):
        assert np.isnan(numbers.numpy()).tolist() == [True, False, True]
    for count in (
        random.poisson(bad),
        random.binomial(5, bad),
        random.geometric(bad),
        random.negative_binomial(3, bad),
    ):
        values = count.tolist()
        assert values[0] == values[2] == -1 and values[1] >= 0
    assert random.poisson(bad, dtype="uint8").tolist()[0] == 255
    assert random.binomial(pt.asarray([2.5, 2.0]), 1.0).tolist() == [-1, 2]


def test_half_precision_results_are_rounded_from_float32() -> None:
    narrow = random.gumbel(100, dtype="float16", generator=random.Generator(2))
    wide = random.gumbel(100, generator=random.Generator(2))
    assert narrow.dtype.name == "float16"
    np.testing.assert_array_equal(narrow.numpy(), wide.numpy().astype("float16"))


def test_the_dtype_and_device_follow_the_parameters(sim: str) -> None:
    scale = pt.asarray([1.0, 2.0], dtype="float64", device=sim)
    y = random.exponential(None, scale)
    assert (y.dtype.name, y.device.backend, y.shape) == ("float64", "sim", (2,))
    assert random.poisson(scale).device.backend == "sim"
    assert random.poisson(pt.asarray([1, 2])).dtype.name == "int64"
    assert random.exponential((2,), np.float64(2.0)).dtype.name == "float32"  # a NumPy scalar is a number here


@pytest.mark.parametrize("draw", [random.gamma, random.poisson, lambda a, **k: random.von_mises(0.0, a, **k)])
def test_an_element_s_attempts_do_not_depend_on_the_other_elements(draw: Any) -> None:
    rates = np.linspace(0.5, 60.0, 300).astype("float32")
    whole = draw(pt.asarray(rates), generator=random.Generator(17)).numpy()
    changed = rates.copy()
    changed[::2] = 7.25
    other = draw(pt.asarray(changed), generator=random.Generator(17)).numpy()
    np.testing.assert_array_equal(whole[1::2], other[1::2])
    np.testing.assert_array_equal(whole[:100], draw(pt.asarray(rates[:100]), generator=random.Generator(17)).numpy())


def test_the_state_moves_by_the_words_of_the_first_attempt() -> None:
    draws: list[tuple[Any, int]] = [
        (lambda g: random.gamma(1.0, shape=(5, 2), generator=g), 10),
        (lambda g: random.gamma(1.0, shape=(5, 2), dtype="float64", generator=g), 20),
        (lambda g: random.poisson(50.0, 10, generator=g), 10),
        (lambda g: random.binomial(50, 0.5, 10, generator=g), 10),
        (lambda g: random.exponential(10, generator=g), 3),
        (lambda g: random.permutation(10, generator=g), 5),
    ]
    for draw, blocks in draws:
        generator = random.Generator(1)
        draw(generator)
        assert int(generator.state.numpy()[1]) == blocks
