"""Sampling at positions, against scipy.ndimage and values known from PyTorch 2.13."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage

import polytape as pt
from polytape.errors import DTypeError, ShapeError
from polytape.testing import check_gradients

RNG = np.random.default_rng(17)


def positions(grid: Any, sizes: tuple[int, ...]) -> list[Any]:
    """Array positions for aligned corners, the first axis first."""
    return [(grid[..., len(sizes) - 1 - k] + 1) / 2 * (n - 1) for k, n in enumerate(sizes)]


@pytest.mark.parametrize(("padding_mode", "scipys"), [("border", "nearest"), ("reflection", "mirror")])
@pytest.mark.parametrize(("mode", "order"), [("bilinear", 1), ("nearest", 0)])
@pytest.mark.parametrize("sizes", [(6,), (4, 6), (3, 4, 5)])
def test_samples_agree_with_scipy(
    sizes: tuple[int, ...], mode: str, order: int, padding_mode: str, scipys: str, backend: str
) -> None:
    x, grid = RNG.normal(size=(1, *sizes, 2)), RNG.uniform(-1.7, 1.7, (1, 5, 3, len(sizes)))
    with pt.device(backend):
        y = pt.nn.grid_sample(
            pt.asarray(x), pt.asarray(grid), mode=mode, padding_mode=padding_mode, align_corners=True
        ).numpy()
    at = positions(grid[0], sizes)
    for channel in range(2):
        expected = scipy.ndimage.map_coordinates(x[0, ..., channel], at, order=order, mode=scipys)
        np.testing.assert_allclose(y[0, ..., channel], expected, rtol=1e-10, atol=1e-12)


def test_a_grid_without_a_map_gives_the_image(backend: str) -> None:
    x = RNG.normal(size=(2, 3, 4, 2))
    with pt.device(backend):
        theta = pt.asarray(np.tile([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], (2, 1, 1)))
        for corners in (False, True):
            grid = pt.nn.affine_grid(theta, (3, 4), align_corners=corners)
            assert grid.shape == (2, 3, 4, 2)
            for mode in ("bilinear", "nearest", "bicubic"):
                y = pt.nn.grid_sample(pt.asarray(x), grid, mode=mode, align_corners=corners).numpy()
                np.testing.assert_allclose(y, x, rtol=1e-10, atol=1e-10)
            first = pt.asarray(np.moveaxis(x, -1, 1))
            y = pt.nn.grid_sample(first, grid, align_corners=corners, data_format="channels_first").numpy()
            np.testing.assert_allclose(y, np.moveaxis(x, -1, 1), rtol=1e-10, atol=1e-10)


def test_affine_grids_have_the_positions_of_pytorch(backend: str) -> None:
    with pt.device(backend):
        theta = pt.asarray([[[2.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
        grid = pt.nn.affine_grid(theta, (1, 2))
        assert grid.tolist() == [[[[-0.5, 0.0], [1.5, 0.0]]]]
        assert pt.nn.affine_grid(theta, (1, 2), align_corners=True).tolist() == [[[[-1.5, 0.0], [2.5, 0.0]]]]


def test_outside_is_zero_by_default_and_nan_and_infinity_are_safe(backend: str) -> None:
    with pt.device(backend), np.errstate(all="ignore"):
        x = pt.asarray([[[1.0], [np.inf], [3.0]]])
        grid = pt.asarray([[[-1.0], [3.0], [np.inf], [-1e30], [-4.0 / 3.0]]])
        y = pt.nn.grid_sample(x, grid).numpy().ravel()
        np.testing.assert_array_equal(y[[0, 1, 3]], [0.5, 0.0, 0.0])
        assert y[4] == 0.0
        pt.nn.grid_sample(x, pt.asarray([[[np.nan]]]))  # no position outside of the image is read


def test_gradients_of_sampling(backend: str) -> None:
    with pt.device(backend):
        x, grid = pt.asarray(RNG.normal(size=(2, 3, 4, 2))), pt.asarray(RNG.uniform(-0.9, 0.9, (2, 3, 2)))
        for mode in ("bilinear", "bicubic"):
            check_gradients(lambda x, grid, mode=mode: pt.nn.grid_sample(x, grid, mode=mode), [x, grid], order=2)
        theta = pt.asarray(RNG.normal(size=(2, 2, 3)))
        check_gradients(lambda theta: pt.nn.affine_grid(theta, (2, 3)), [theta], order=2)


def test_errors_say_what_fits(backend: str) -> None:
    with pt.device(backend):
        x, grid = pt.ones((1, 3, 3, 1)), pt.zeros((1, 5, 2))
        with pytest.raises(ShapeError, match=r"the grid does not fit(.|\n)*grid\[1, ..., 2\]"):
            pt.nn.grid_sample(x, pt.zeros((1, 5, 3)))
        with pytest.raises(ShapeError, match="there is no mode 'linear'"):
            pt.nn.grid_sample(x, grid, mode="linear")
        with pytest.raises(ShapeError, match="there is no padding_mode 'wrap'"):
            pt.nn.grid_sample(x, grid, padding_mode="wrap")
        with pytest.raises(DTypeError, match="x must be real floating"):
            pt.nn.grid_sample(pt.ones((1, 3, 3, 1), dtype="int32"), grid)
        with pytest.raises(ShapeError, match=r"theta is not a batch of affine maps(.|\n)*theta\[batch, k, k \+ 1\]"):
            pt.nn.affine_grid(pt.ones((2, 2)), 3)
