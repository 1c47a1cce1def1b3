"""The NumPy backend of polytape, and its kernels for any module with NumPy's interface."""
