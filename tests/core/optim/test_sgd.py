"""SGD, compared with torch's."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt


def test_fifty_steps_agree_with_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, data = (rng.standard_normal(shape).astype("float32") for shape in ((5, 3), (20, 5)))
    w, x = pt.Variable(start), pt.asarray(data)
    theirs, torch_x = torch.tensor(start.copy(), requires_grad=True), torch.tensor(data)
    sgd, torch_sgd = pt.optim.SGD(0.05), torch.optim.SGD([theirs], lr=0.05)
    for _ in range(50):
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(x @ w - 1.0))
        sgd.apply_gradients(zip(tape.gradient(loss, [w]), [w], strict=True))
        torch_sgd.zero_grad()
        ((torch_x @ theirs - 1.0) ** 2).mean().backward()
        torch_sgd.step()
    np.testing.assert_allclose(w.numpy(), theirs.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_sgd_has_no_slots() -> None:
    x = pt.Variable(3.0)
    sgd = pt.optim.SGD(0.1)
    sgd.apply_gradients([(pt.asarray(1.0), x)])
    assert sgd.variables == (sgd.step,)
    with pytest.raises(pt.PolytapeError, match="SGD has no slot 'm'"):
        sgd.get_slot(x, "m")
