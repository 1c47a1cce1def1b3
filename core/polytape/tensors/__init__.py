"""The tensor: a handle on a native array, the node a tape hangs it on, and the operators, bound once at import.

May import the contract, `settings` and `registry`. Nothing here computes: ops arrive through `operators`.
"""
