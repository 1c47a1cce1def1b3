"""The Numba backend of polytape: the NumPy backend, with faster compiled kernels for a few ops."""
