"""The values of a program: Tensor and Variable, the node a tape hangs them on, the scope that is open around them.

May import the contract, `settings` and `registry`. Nothing here computes: ops arrive through `operators`, bound once.
"""
