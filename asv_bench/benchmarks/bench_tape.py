"""Small gradients, whose time is mostly the overhead of the tape."""

from __future__ import annotations

import numpy as np

import polytape as pt

from .common import OnDevice, check, turns
from .workloads import second_derivative, square_sum_gradient

RUNS = 20
CHAIN = 200
SAMPLING = f"1: {RUNS} gradients per sample"


class Gradients(OnDevice):
    """20 gradients each, recording included."""

    def prepare(self, device):
        self.square_sum = square_sum_gradient(device)
        self.second = second_derivative(device)
        self.x = pt.asarray(np.ones(10, "f4"), device=device)
        check([self.square_sum(), self.second(), self.chain()], [[[2.0]], 12.0, np.full(10, 1.001**CHAIN)], rtol=1e-4)

    def chain(self):
        with pt.GradientTape() as tape:
            tape.watch(self.x)
            y = self.x
            for _ in range(CHAIN):
                y = y * 1.001
        return tape.gradient(y, self.x)

    def time_square_sum(self, device):
        for _ in turns(RUNS):
            self.square_sum()

    def time_second_derivative(self, device):
        for _ in turns(RUNS):
            self.second()

    def time_chain_of_200(self, device):
        self.chain()

    time_square_sum.version = time_second_derivative.version = SAMPLING
    time_chain_of_200.version = "1: one chain per sample"
