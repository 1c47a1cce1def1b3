"""Linear algebra, one module per family; public as `polytape.linalg`."""
