"""Kernels of linear algebra, one module per family."""
