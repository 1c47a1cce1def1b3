"""From a call to a kernel: the fast path, the slow path, conversion, resolution, and the host as the last resort.

May import the contract, `settings`, `registry`, `placement`, `tensors`, `autodiff`; `plugins` inside functions only.
"""
