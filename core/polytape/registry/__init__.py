"""What an op is, and which kernels exist for it.

`op.Op` is an op without numbers; `gradient_rule` holds its gradient rules, `tensor_type` the interned triple of
backend, device and dtype that every lookup uses, `resolution` the memoised result of a lookup. `tables` registers ops,
backends and kernels, and `kernel_checks` says what a kernel must look like to be registered. Nothing here knows a
tensor.

May import: `backend`, `device`, `dtypes`, `errors`.
"""
