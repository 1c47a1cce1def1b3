"""What an op is, and which kernels exist for it.

`op.Op` is an abstract op; `gradient_rule` holds its gradient rules, `tensor_type` the interned triple of backend,
device and dtype that every lookup uses, `resolution` the memoised result of a lookup. `tables` registers ops, backends
and kernels, and `kernel_checks` rejects kernels that do not fit their op. Nothing here depends on tensors.

May import: `backend`, `device`, `dtypes`, `errors`, `foreign_names`, `locks`.
"""
