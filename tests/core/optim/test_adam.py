"""Adam, compared with torch's and with its algorithm."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fifty_steps_agree_with_torch(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape).astype(dtype) for shape in ((5, 3), (3,))]
    data = rng.standard_normal((20, 5)).astype(dtype)
    ours, x = [pt.Variable(start) for start in starts], pt.asarray(data)
    theirs, torch_x = [torch.tensor(start.copy(), requires_grad=True) for start in starts], torch.tensor(data)
    adam = pt.optim.Adam(0.01, beta1=0.8, beta2=0.99, epsilon=1e-6)
    torch_adam = torch.optim.Adam(theirs, lr=0.01, betas=(0.8, 0.99), eps=1e-6)
    for _ in range(50):
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(x @ ours[0] + ours[1] - 1.0))
        adam.apply_gradients(zip(tape.gradient(loss, ours), ours, strict=True))
        torch_adam.zero_grad()
        ((torch_x @ theirs[0] + theirs[1] - 1.0) ** 2).mean().backward()
        torch_adam.step()
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for actual, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(actual.numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance)


def test_the_first_step_is_the_learning_rate_times_the_negative_sign_of_the_gradient() -> None:
    x = pt.Variable([1.0, 1.0, 1.0])
    pt.optim.Adam(0.25).apply_gradients([(pt.asarray([100.0, -0.001, 0.0]), x)])
    np.testing.assert_allclose(x.numpy(), [0.75, 1.25, 1.0], rtol=1e-4)


def test_the_slots_are_the_running_means() -> None:
    x, unused = pt.Variable([1.0], name="x"), pt.Variable([1.0])
    adam = pt.optim.Adam(beta1=0.5, beta2=0.75)
    assert adam.get_slot(x, "m") is None
    for gradient in (2.0, 4.0):
        adam.apply_gradients([(pt.asarray([gradient]), x)])
    m, v = adam.get_slot(x, "m"), adam.get_slot(x, "v")
    assert m is not None and v is not None
    assert (m.tolist(), v.tolist()) == ([2.5], [4.75])
    assert (m.name, v.name) == ("x/m", "x/v")
    assert adam.get_slot(unused, "m") is None
    assert [variable.name for variable in adam.variables] == ["step", "x/m", "x/v"]
    with pytest.raises(pt.PolytapeError, match="Adam has no slot 'velocity'"):
        adam.get_slot(x, "velocity")
