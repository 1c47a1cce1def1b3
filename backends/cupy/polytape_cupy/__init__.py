"""The CuPy backend of polytape: NVIDIA GPUs, through the kernels that NumPy's backend shares."""
