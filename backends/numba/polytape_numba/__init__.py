"""The Numba backend of polytape: NumPy's arrays and kernels, and a few kernels compiled to be faster."""
