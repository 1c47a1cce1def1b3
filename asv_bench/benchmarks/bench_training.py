"""Training steps, eager and traced."""

from __future__ import annotations

import polytape as pt

from .common import OnDevice, check, turns
from .workloads import Linreg, Mlp, NumpyLinreg, NumpyMlp

STEPS = 20
SAMPLING = f"1: {STEPS} steps per sample"


class Regression(OnDevice):
    """20 steps of linear regression on 1,000 points, eagerly."""

    def prepare(self, device):
        self.linreg = Linreg(device)
        self.step = self.make_step()
        reference = NumpyLinreg()
        check([self.step() for _ in range(3)], [reference.step() for _ in range(3)], rtol=1e-4)
        check(self.linreg.state(), reference.state(), rtol=1e-4)

    def make_step(self):
        return self.linreg.step

    def time_linreg(self, device):
        for _ in turns(STEPS):
            self.step()

    time_linreg.version = SAMPLING


class TracedRegression(Regression):
    """The same steps as a traced function."""

    def make_step(self):
        return pt.function(self.linreg.step)


class Network(OnDevice):
    """One step of the MLP 784-128-10 on a batch of 128, with Adam."""

    def prepare(self, device):
        self.mlp = Mlp(device)
        reference = NumpyMlp()
        check([self.mlp.step()], [reference.step()], rtol=1e-3)

    def time_mlp_adam(self, device):
        self.mlp.step()

    time_mlp_adam.version = "1: one step per sample"
