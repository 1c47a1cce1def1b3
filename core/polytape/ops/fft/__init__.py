"""Fourier transforms, one module per family; public as `polytape.fft`."""
