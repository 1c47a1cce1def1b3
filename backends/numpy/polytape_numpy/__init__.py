"""The NumPy backend of polytape, and its kernels for any module that follows NumPy."""
