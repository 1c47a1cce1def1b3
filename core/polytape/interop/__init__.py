"""Modules that make polytape known to libraries which keep a list of array libraries; each is imported by the user.

Most libraries find a tensor's namespace through ``__array_namespace__`` and need none of this.

May import: `checkpoint`, `control`, `device`, `errors`, `graph`, `ops`, `placement`, `tensors`; and polytape itself.
"""
