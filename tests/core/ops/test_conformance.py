"""Every op on every backend, from its row; and that every op has one."""

from __future__ import annotations

from polytape.testing import CASES, incomplete_ops, own_ops
from polytape.testing.suite import *  # noqa: F403  # the kit's tests, run here as at a stranger's


def test_every_op_is_complete() -> None:
    assert {"add", "softmax", "adam_update"} <= own_ops().keys()
    missing = incomplete_ops(own_ops(), CASES)
    assert not missing, "\n".join(missing)
