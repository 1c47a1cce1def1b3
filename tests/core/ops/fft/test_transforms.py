"""Fourier transforms: every function against NumPy, gradients, frequencies, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import Tensor, fft
from polytape.errors import DTypeError, ShapeError
from polytape.ops.complex_parts import complex_

RNG = np.random.default_rng(5)
REAL = RNG.normal(size=(3, 4, 5))
COMPLEX = REAL + 1j * RNG.normal(size=(3, 4, 5))
MANY: list[dict[str, Any]] = [
    {},
    {"axes": (0, 2)},
    {"axes": (-1, 0), "s": (6, 3)},
    {"axes": (1, 2), "s": (-1, 4), "norm": "ortho"},
    {"axes": (1,), "norm": "forward"},
]


@pytest.mark.parametrize("attributes", MANY, ids=str)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"])
def test_transforms_along_several_axes_are_numpy_s(name: str, attributes: dict[str, Any], backend: str) -> None:
    x = REAL if name.startswith("r") else COMPLEX
    with pt.device(backend):
        y = getattr(fft, name)(pt.asarray(x), **attributes).numpy()
        single = getattr(fft, name)(pt.asarray(x.astype("float32" if x is REAL else "complex64")), **attributes)
    expected = getattr(np.fft, name)(x, **attributes)
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-13)
    assert y.dtype == expected.dtype
    assert single.dtype == ("float32" if name.startswith("ir") else "complex64")


@pytest.mark.parametrize("n", [None, 3, 7])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["hfft", "ihfft"])
def test_transforms_of_hermitian_signals_are_numpy_s(name: str, norm: Any, n: int | None, backend: str) -> None:
    x = COMPLEX if name == "hfft" else REAL
    with pt.device(backend):
        y = getattr(fft, name)(pt.asarray(x), n=n, axis=1, norm=norm).numpy()
    np.testing.assert_allclose(y, getattr(np.fft, name)(x, n=n, axis=1, norm=norm), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_their_order_are_numpy_s(n: int, backend: str) -> None:
    with pt.device(backend):
        assert fft.fftfreq(n, d=0.5, dtype="float64").tolist() == np.fft.fftfreq(n, 0.5).tolist()
        assert fft.rfftfreq(n, d=0.5, dtype="float64").tolist() == np.fft.rfftfreq(n, 0.5).tolist()
        assert fft.fftfreq(n).dtype == pt.float32
        x = np.arange(3 * n).reshape(3, n)
        for name in ("fftshift", "ifftshift"):
            for axes in (None, 0, (-1,), (0, 1)):
                y = getattr(fft, name)(pt.asarray(x), axes=axes)
                assert y.tolist() == getattr(np.fft, name)(x, axes=axes).tolist()


def parts(transform: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    """A transform of complex numbers as a function of real numbers to real numbers."""

    def f(re: Tensor, im: Tensor) -> tuple[Tensor, ...]:
        y = transform(complex_(re, im))
        return pt.real(y), pt.imag(y)

    return f


ATTRIBUTES: list[dict[str, Any]] = [
    {}, {"n": 3}, {"n": 8}, {"axis": 0, "norm": "ortho"}, {"n": 6, "norm": "forward"},
]  # fmt: skip


@pytest.mark.parametrize("attributes", ATTRIBUTES, ids=str)
@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft"])
def test_gradients_of_complex_operands_agree_with_differences(
    name: str, attributes: dict[str, Any], backend: str
) -> None:
    with pt.device(backend):
        x, y = pt.asarray(REAL[0]), pt.asarray(REAL[1])
        pt.check_gradients(parts(lambda z: getattr(fft, name)(z, **attributes)), [x, y], order=2)


@pytest.mark.parametrize("attributes", ATTRIBUTES, ids=str)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft"])
def test_gradients_of_real_operands_agree_with_differences(name: str, attributes: dict[str, Any], backend: str) -> None:
    def f(x: Tensor) -> tuple[Tensor, ...]:
        y = getattr(fft, name)(x, **attributes)
        return pt.real(y), pt.imag(y)

    with pt.device(backend):
        pt.check_gradients(f, pt.asarray(REAL[0]), order=2)


def test_the_gradient_of_the_energy_is_parseval_s(backend: str) -> None:
    def energy(re: Tensor, im: Tensor) -> Tensor:
        y = fft.fft(complex_(re, im), norm="ortho")
        return pt.sum(pt.real(y * pt.conj(y)))

    x = COMPLEX[0, 0]
    with pt.device(backend):
        re, im = pt.gradients_function(energy)(pt.asarray(x.real.copy()), pt.asarray(x.imag.copy()))
    np.testing.assert_allclose(re.numpy() + 1j * im.numpy(), 2 * x, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 31, 97, 360, 1001, 1024, 2 * 37 * 41])
def test_the_body_is_accurate_for_every_kind_of_size(n: int) -> None:
    x = RNG.normal(size=n) + 1j * RNG.normal(size=n)
    with pt.device("numpy"):
        for dtype, limit in (("complex128", 1e-15), ("complex64", 1e-6)):
            given = x.astype(dtype)
            y = fft.fft.run_body([pt.asarray(given)], {"n": None, "axis": -1, "norm": "backward"}).numpy()  # type: ignore[attr-defined]
            exact = np.fft.fft(given.astype("complex128"))
            assert np.abs(y - exact).max() < limit * np.abs(exact).max() * 4


def test_integers_are_transformed_as_float32_and_a_complex_operand_of_rfft_is_rejected(backend: str) -> None:
    with pt.device(backend):
        assert np.abs(fft.fft(pt.asarray([1, 2])).numpy() - np.array([3, -1])).max() < 1e-6
        assert fft.rfft(pt.asarray([True, False])).dtype == pt.complex64
        with pytest.raises(DTypeError, match="not defined for complex numbers"):
            fft.rfft(pt.asarray([1j]))


def test_errors_of_several_axes_name_the_fault(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((2, 3))
        with pytest.raises(ShapeError, match="there is no axis 2"):
            fft.fftn(x, axes=(0, 2))
        with pytest.raises(ShapeError, match="the sizes and the axes differ"):
            fft.fftn(x, s=(2,), axes=(0, 1))
        with pytest.raises(ShapeError, match="needs an axis"):
            fft.rfftn(x, axes=())
        with pytest.raises(ShapeError, match="there are no frequencies"):
            fft.fftfreq(0)
        with pytest.raises(DTypeError, match="frequencies are real floating"):
            fft.rfftfreq(4, dtype="int32")
        with pytest.raises(ShapeError, match="there is no norm 'none'"):
            fft.hfft(x, norm="none")
