"""einops on tensors; its own tests run with tests/run_ecosystem.py."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import polytape as pt

einops = pytest.importorskip("einops", reason="the extra `test` is not installed")
HOST = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
CALLS = [
    lambda x: einops.rearrange(x, "a b c -> c (a b)"),
    lambda x: einops.rearrange(x, "a b (h w) -> (a h) b w", h=2),
    lambda x: einops.rearrange([x, x], "n a b c -> a (n b) c"),
    lambda x: einops.reduce(x, "a b c -> a c", "mean"),
    lambda x: einops.reduce(x, "a (b 3) c -> b c", "max"),
    lambda x: einops.reduce(x > 3.0, "a b c -> b", "any"),
    lambda x: einops.repeat(x, "a b c -> a (b k) c n", k=2, n=3),
    lambda x: einops.einsum(x, x, "a b c, a b d -> a c d"),
    lambda x: einops.pack([x, x[:, :, 0]], "a *")[0],
]


@pytest.mark.parametrize("call", CALLS)
def test_einops_computes_on_tensors_what_it_computes_on_arrays(backend: str, call: object) -> None:
    import polytape.interop.einops

    assert polytape.interop.einops.PolytapeBackend.framework_name == "polytape"
    assert callable(call)
    result = call(pt.asarray(HOST, device=backend))
    assert result.device.backend == backend
    np.testing.assert_allclose(result.numpy(), call(HOST), rtol=1e-6)


def test_a_gradient_flows_through_einops() -> None:
    import polytape.interop.einops  # noqa: F401  # it registers polytape

    (gradient,) = pt.gradients_function(lambda x: pt.sum(einops.reduce(x, "a b c -> a", "sum") ** 2))(pt.asarray(HOST))
    np.testing.assert_allclose(gradient.numpy()[:, 0, 0], 2 * HOST.sum((1, 2)), rtol=1e-6)


def test_the_namespace_of_einops_for_the_standard_needs_no_import() -> None:
    program = (
        "import polytape as pt; from einops import array_api as ea; x = pt.ones((2, 3, 4));"
        "print(ea.rearrange(x, 'a b c -> c (a b)').shape, ea.reduce(x, 'a b c -> a', 'mean').tolist())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "(4, 6) [1.0, 1.0]\n"
