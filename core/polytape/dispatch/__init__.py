"""From the call of an op to its kernel.

`fast_path` serves the common calls; `slow_path` converts operands, promotes dtypes and records; `resolve` finds the
kernel, which `wrappers` adapt. `convert` makes tensors from host data and converts them to other dtypes and devices
(`host_data` reads nested lists and foreign objects, `interchange` arrays that need not pass through the host,
`transfer` records a move, `mixed_devices` chooses the device if the operands are on several). `fallback` runs an op on
the host if that is permitted. `explanation` and `kernel_registration` are `polytape.explain` and `polytape.kernel`.

May import: `autodiff`, `backend`, `device`, `dtypes`, `errors`, `placement`, `plugins`, `registry`, `settings`,
`tensors`; `plugins` inside functions only.
"""
