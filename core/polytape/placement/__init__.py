"""Where new tensors go.

`selection` turns device names, scopes, the process's default and ``POLYTAPE_BACKEND`` into a device; `default_backend`
holds the functions that users call for that, `devices` those that ask a device. Nothing here knows a tensor.

May import: `backend`, `device`, `errors`, `plugins`, `registry`, `settings`; `plugins` inside functions only.
"""
