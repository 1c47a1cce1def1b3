"""Special functions, one module per family; public as `polytape.special`."""
