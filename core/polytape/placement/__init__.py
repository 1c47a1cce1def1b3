"""Where new tensors go.

`selection` turns device names, scopes, the process's default and ``POLYTAPE_BACKEND`` into a device; `default_backend`
holds the functions that users call for that, `devices` those that query a device. Nothing here depends on tensors.

May import: `backend`, `device`, `errors`, `plugins`, `registry`, `settings`; `plugins` inside functions only.
"""
