"""Kernels of Fourier transforms, one module per family."""
