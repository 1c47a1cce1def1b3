"""Kernels of the neural ops, a module per family."""
