"""Compiled kernels of the special functions, one module per family."""
