"""The conformance kit on every backend, and the completeness of every op."""

from __future__ import annotations

from polytape.testing import CASES, incomplete_ops, own_ops
from polytape.testing.suite import *  # noqa: F403  # the kit's tests, run as third parties run them


def test_every_op_is_complete() -> None:
    assert {"add", "softmax", "adam_update"} <= own_ops().keys()
    missing = incomplete_ops(own_ops(), CASES)
    assert not missing, "\n".join(missing)
