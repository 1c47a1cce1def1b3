"""Complex gradients: dL/dRe + i dL/dIm, which finite differences of the parts confirm for every op."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError
from polytape.ops.complex_parts import complex_
from polytape.testing.case import Case, call, tensors
from polytape.testing.cases import CASES


def samples_of(case: Case) -> list[Any]:
    return [s for s in case.samples if s.smooth and "complex128" in s.dtypes() and not s.layout and 0 < s.size() < 200]


DIFFERENTIABLE = [case for case in CASES if not case.gradient and samples_of(case)]


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=str)
def test_gradients_by_the_parts_agree_with_finite_differences(row: Case) -> None:
    case = row
    device = pt.get_backend("numpy").device_list()[0]
    for sample in samples_of(case)[:3]:
        hosts = sample.hosts("complex128")
        fixed = tensors(case.op, hosts, device)
        varying = [k for k, maker in enumerate(sample.operands) if maker.varies]

        def parts(*xs: Any, fixed: Any = fixed, varying: Any = varying, sample: Any = sample) -> list[Any]:
            operands = list(fixed)
            for k, position in enumerate(varying):
                operands[position] = complex_(xs[2 * k], xs[2 * k + 1])
            results = call(case.op, operands, sample.attributes)
            return [part for y in results for part in ([pt.real(y), pt.imag(y)] if y.dtype.kind == "c" else [y])]

        arguments = [pt.asarray(part) for k in varying for part in (hosts[k].real.copy(), hosts[k].imag.copy())]
        pt.check_gradients(parts, arguments, order=2)


def test_a_complex_tensor_has_its_gradient() -> None:
    z = pt.asarray([1 + 2j, 3 - 1j])
    with pt.GradientTape() as tape:
        tape.watch(z)
        loss = pt.sum(pt.abs(z) ** 2)
    np.testing.assert_allclose(tape.gradient(loss, z).numpy(), 2 * z.numpy())  # dL/dRe + i dL/dIm


def test_gradients_descend_in_a_complex_variable() -> None:
    v = pt.Variable([1 + 1j, -2j])
    assert v.trainable
    for _ in range(50):
        with pt.GradientTape() as tape:
            loss = pt.sum(pt.abs(v - (3 - 1j)) ** 2)
        v.assign_sub(tape.gradient(loss, v) * 0.25)
    np.testing.assert_allclose(v.numpy(), [3 - 1j, 3 - 1j], rtol=1e-5)


def test_the_gradient_of_a_real_operand_is_real() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        loss = pt.sum(pt.real(x * (2 + 3j)))
    assert tape.gradient(loss, x).tolist() == [2.0, 2.0]


def test_a_complex_target_needs_a_weight() -> None:
    z = pt.asarray([1 + 2j])
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(z)
        y = z * z
    with pytest.raises(DTypeError, match="it is complex"):
        tape.gradient(y, z)
    assert tape.gradient(y, z, output_gradients=pt.asarray([1 + 0j])).tolist() == [2 - 4j]


def test_a_second_derivative_passes_the_outputs_of_an_op_with_several() -> None:
    x = pt.asarray([[2.0, 0.3], [0.3, 1.0]])
    pt.check_gradients(lambda x: pt.sum(pt.linalg.eigh(x + x.mT).eigenvalues ** 3), x, order=2)
    pt.check_gradients(lambda x: pt.sum(pt.linalg.svd(x).S ** 3), x, order=2)
