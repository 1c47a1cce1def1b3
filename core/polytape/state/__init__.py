"""What outlives a step: updates of variables in place, and objects whose variables a checkpoint saves.

May import every room below: the contract, `settings`, `registry`, `tensors`, `dispatch`.
"""
