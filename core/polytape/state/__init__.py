"""What outlives a step: objects whose variables a checkpoint saves, and updates of variables in place.

May import: `dispatch`, `errors`, `registry`, `settings`, `tensors`.
"""
