"""Matrices, products, Fourier transforms and bits: in ``tf``, ``tf.linalg``, ``tf.spectral``, ``tf.bitwise``, ..."""

from __future__ import annotations

__all__ = ["BITWISE", "FOURIER", "LINALG", "MANIP", "PRODUCTS", "REAL_FOURIER"]

PRODUCTS = """
cholesky(input, name=None):
    pt.linalg.cholesky(floating(input))
cholesky_solve(chol, rhs, name=None):
    pt.linalg.cho_solve(*map(floating, same(chol, rhs)))
cross(a, b, name=None):
    pt.cross(*map(numeric, same(a, b)))
matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False,
    b_is_sparse=False, name=None):
    product(*map(numeric, same(a, b)), transpose_a, transpose_b, adjoint_a, adjoint_b)
matrix_determinant(input, name=None):
    pt.linalg.det(floating(input))
matrix_inverse(input, adjoint=False, name=None):
    pt.linalg.inv(adjoint_of(floating(input), adjoint))
matrix_solve(matrix, rhs, adjoint=False, name=None):
    solved(*map(floating, same(matrix, rhs)), adjoint)
matrix_solve_ls(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    least_squares(*map(floating, same(matrix, rhs)), l2_regularizer)
matrix_transpose(a, name="matrix_transpose", conjugate=False):
    turned(tensor(a), conjugate)
matrix_triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    triangular(*map(floating, same(matrix, rhs)), lower, adjoint)
self_adjoint_eig(tensor, name=None):
    tuple(pt.linalg.eigh(floating(tensor)))
self_adjoint_eigvals(tensor, name=None):
    pt.linalg.eigvalsh(floating(tensor))
trace(x, name=None):
    trace_of(tensor(x))
"""

LINALG = """
adjoint(matrix, name=None):
    pt.conj(pt.matrix_transpose(tensor(matrix)))
expm(input, name=None):
    pt.linalg.expm(floating(input))
logdet(matrix, name=None):
    pt.linalg.slogdet(floating(matrix)).logabsdet
logm(input, name=None):
    logarithm(tensor(input))
slogdet(input, name=None):
    SignAndLogarithm(*pt.linalg.slogdet(floating(input)))
"""

FOURIER = """
fft(input, name=None):
    pt.fft.fft(tensor(input))
fft2d(input, name=None):
    pt.fft.fft2(tensor(input))
fft3d(input, name=None):
    pt.fft.fftn(tensor(input), axes=(-3, -2, -1))
ifft(input, name=None):
    pt.fft.ifft(tensor(input))
ifft2d(input, name=None):
    pt.fft.ifft2(tensor(input))
ifft3d(input, name=None):
    pt.fft.ifftn(tensor(input), axes=(-3, -2, -1))
"""

REAL_FOURIER = """
irfft(input_tensor, fft_length=None, name=None):
    pt.fft.irfftn(tensor(input_tensor, tf.complex64), s=lengths(fft_length), axes=(-1,))
irfft2d(input_tensor, fft_length=None, name=None):
    pt.fft.irfftn(tensor(input_tensor, tf.complex64), s=lengths(fft_length), axes=(-2, -1))
irfft3d(input_tensor, fft_length=None, name=None):
    pt.fft.irfftn(tensor(input_tensor, tf.complex64), s=lengths(fft_length), axes=(-3, -2, -1))
rfft(input_tensor, fft_length=None, name=None):
    pt.fft.rfftn(tensor(input_tensor, tf.float32), s=lengths(fft_length), axes=(-1,))
rfft2d(input_tensor, fft_length=None, name=None):
    pt.fft.rfftn(tensor(input_tensor, tf.float32), s=lengths(fft_length), axes=(-2, -1))
rfft3d(input_tensor, fft_length=None, name=None):
    pt.fft.rfftn(tensor(input_tensor, tf.float32), s=lengths(fft_length), axes=(-3, -2, -1))
"""

BITWISE = """
bitwise_and(x, y, name=None):
    pt.bitwise_and(*map(integral, same(x, y)))
bitwise_or(x, y, name=None):
    pt.bitwise_or(*map(integral, same(x, y)))
bitwise_xor(x, y, name=None):
    pt.bitwise_xor(*map(integral, same(x, y)))
invert(x, name=None):
    pt.bitwise_invert(integral(x))
left_shift(x, y, name=None):
    pt.bitwise_left_shift(*map(integral, same(x, y)))
right_shift(x, y, name=None):
    pt.bitwise_right_shift(*map(integral, same(x, y)))
"""

MANIP = """
roll(input, shift, axis):
    rolled(tensor(input), integers(shift), integers(axis))
"""
