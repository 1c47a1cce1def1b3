"""Jacobians, Hessians times vectors and gradients per example, each by one batched or forward pass."""

from __future__ import annotations

import numpy as np

import polytape as pt

from .common import OnDevice, check

OUTPUTS = 1000


class Derivatives(OnDevice):
    """A network of 64 inputs and 1,000 outputs, and 256 examples of a small one."""

    def prepare(self, device):
        rng = np.random.default_rng(0)
        first, second = (rng.normal(size=shape).astype("f4") / 8 for shape in ((64, 64), (64, OUTPUTS)))
        self.weights = [pt.asarray(w, device=device) for w in (first, second)]
        self.x = pt.asarray(np.ones(64, "f4") / 8, device=device)
        self.examples = pt.asarray(rng.normal(size=(256, 64)).astype("f4"), device=device)
        slopes = 1 - np.tanh(np.ones(64, "f4") / 8 @ first) ** 2
        check([self.jacobian()], [(first * slopes @ second).T], rtol=1e-3, atol=1e-5)

    def network(self, x):
        return pt.tanh(x @ self.weights[0]) @ self.weights[1]

    def loss(self, x):
        return pt.sum(self.network(x) ** 2)

    def jacobian(self):
        return pt.jacobian(self.network)(self.x)

    def time_jacobian_of_1000_outputs(self, device):
        self.jacobian()

    def time_hessian_times_vector(self, device):
        pt.hvp(self.loss, (self.x,), (self.x,))

    def time_gradients_of_256_examples(self, device):
        pt.vmap(lambda x: pt.gradients_function(self.loss)(x)[0])(self.examples)

    time_jacobian_of_1000_outputs.version = "1: one Jacobian per sample"
    time_hessian_times_vector.version = "1: one product per sample"
    time_gradients_of_256_examples.version = "1: one batch per sample"
