"""Gradients of rows, inside a traced function."""

from __future__ import annotations

import numpy as np

import polytape as pt


def test_a_traced_step_takes_the_rows_also_when_the_positions_are_reshaped_fast(backend: str) -> None:
    with pt.device(backend):
        positions = pt.asarray([[1, 2, 1], [0, 3, 1]])
        pt.reshape(positions, (6,))  # from now on this op is resolved without looking at its operand's array
        table = pt.Variable(pt.ones((5, 2)))

        def gradient(rows: pt.Tensor) -> pt.Tensor:
            with pt.GradientTape() as tape:
                loss = pt.sum(pt.square(pt.take(table, rows, axis=0)))
            slices = tape.gradient(loss, table, sparse=True)
            assert isinstance(slices, pt.IndexedSlices)
            return slices.to_dense()

        expected = gradient(positions).numpy()
        np.testing.assert_array_equal(expected[:, 0], [2.0, 6.0, 2.0, 2.0, 0.0])
        np.testing.assert_array_equal(pt.function(gradient)(positions).numpy(), expected)
