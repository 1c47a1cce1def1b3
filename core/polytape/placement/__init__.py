"""Where new tensors go: device names, scopes, the process's choice, ``POLYTAPE_BACKEND``, and its policies.

May import the contract, `settings`, `registry`, and `plugins` inside functions. Knows no tensor.
"""
