"""Where new tensors go: device names, scopes, the process's choice, ``POLYTAPE_BACKEND``; and policies of the process.

May import the contract, `settings`, `registry`; `plugins` inside functions only. No tensor is known here.
"""
