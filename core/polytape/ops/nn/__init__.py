"""Neural ops, a module per family; public as `polytape.nn`."""
