"""Neural-network ops, one module per family; public as `polytape.nn`."""
