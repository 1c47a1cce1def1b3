"""Compiled kernels of linear algebra, one module per family."""
