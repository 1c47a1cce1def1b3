"""The ops, a module per family: what an op is, its rules, its gradient and its body. Kernels are the backends'.

Nothing of it loads at import. The families behind Tensor's operators load with the first backend, since there is no
tensor before; any other family when one of its names is first used, see `polytape.ops.families`.

May import every room below: the contract, `settings`, `registry`, `placement`, `tensors`, `autodiff`, `dispatch`,
`state`.
"""
