"""The values of a program: Tensor and Variable, how they print, and nested structures of them.

`node` holds what a tape records about an op, `scope` the tapes and the trace that are open around a call, `symbol` what
takes the place of a native array while a function is traced. `assignment`, `interchange`, `numpy_functions`, `printing`
and `rejections` hold the parts of Tensor that most programs do not need. Nothing here computes: the ops behind Tensor's
operators are bound in `operators` when the first backend loads.

May import: `device`, `dtypes`, `errors`, `foreign_names`, `locks`, `registry`, `settings`.
"""
