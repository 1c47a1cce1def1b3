"""The ops, a module per family: what an op computes, its rules and its gradient. Backends bring the kernels.

`declaration` makes an op of a decorated function, `dtype_rules` and `shape_rules` are shared by the families,
`documentation` completes docstrings, `families` finds the module of a name. No family loads at import: those behind
Tensor's operators load with the first backend, any other when one of its names is first used.

May import: `autodiff`, `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `inspection`, `registry`, `tensors`.
"""
