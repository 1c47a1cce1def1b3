"""The CuPy backend of polytape: NVIDIA GPUs, with kernels shared with the NumPy backend."""
