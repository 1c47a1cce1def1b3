"""Training steps, eager and traced."""

from __future__ import annotations

import threading

import numpy as np

import polytape as pt

from .common import DEVICES, OnDevice, check, turns
from .workloads import AdamStep, Linreg, Mlp, NumpyLinreg, NumpyMlp

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


class Update(OnDevice):
    """One Adam step on a million parameters, alone and while another thread waits, such as a progress bar's."""

    params = (DEVICES, ["alone", "idle thread"])
    param_names = ("device", "threads")

    def prepare(self, device, threads):
        self.adam = AdamStep(device)
        value = self.adam.step().numpy()
        check([value], [np.full(value.shape, 1.0 - self.adam.rate, "f4")], rtol=1e-4)
        if threads == "idle thread":
            threading.Thread(target=threading.Event().wait, daemon=True).start()

    def time_adam_million(self, device, threads):
        self.adam.step()

    time_adam_million.version = "1: one step per sample"
