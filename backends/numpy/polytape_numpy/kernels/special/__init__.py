"""Kernels of special functions, one module per family."""
