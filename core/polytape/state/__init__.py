"""What outlives an op: variables, updates of them in place, and objects whose variables a checkpoint saves.

May import every room below: the contract, `settings`, `tensors`, `autodiff`, `dispatch`.
"""
