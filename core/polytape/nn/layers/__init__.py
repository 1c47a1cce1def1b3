"""The layers, one module per family. `polytape.nn` shows them; a family loads when one of its names is first used.

A layer's arguments are those of the function in `polytape.nn` that it calls, and have its names.
"""
