"""Where new tensors go.

`selection` finds the device of each new tensor: by name, by scope, or the process's default. `choosing` reads lists of
backends and the environment variables. `default_backend` holds the functions that users call for that, `devices` those
that query a device. Nothing here depends on tensors.

May import: `backend`, `device`, `errors`, `plugins`, `registry`, `settings`; `plugins` inside functions only.
"""
