"""Kernels of the neural-network ops, one module per family."""
