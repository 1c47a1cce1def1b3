"""Checkpoint files whose tensors have variables' names: what a `Saver` writes and reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from ....checkpoint.format import TensorFile, open_tensors
from ....checkpoint.manager import Checkpoint
from ....checkpoint.numbering import newest
from ....errors import CheckpointError, CheckpointNotFoundError
from ....state.update import replace_all
from ....tensors.in_place import settled, writing
from ....tensors.tensor import describe
from ....tensors.variable import Variable
from ..errors import InvalidArgumentError, NotFoundError

__all__ = ["NamedVariables", "existing_file", "opened", "restore_values"]

_SUFFIX: Final = ".safetensors"


class NamedVariables(Checkpoint):
    """A checkpoint of variables by name, without an object graph.

    Args:
        variables: by the names that the tensors get.
    """

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        super().__init__()
        self.__dict__["_named"] = dict(variables)

    def _snapshot(self) -> tuple[dict[str, Any], dict[str, str]]:
        named: dict[str, Variable] = self.__dict__["_named"]
        with writing:
            arrays = {name: (settled(variable), variable.type.backend) for name, variable in named.items()}
        return {name: backend.to_host(array) for name, (array, backend) in arrays.items()}, {}


def existing_file(path: str | os.PathLike[str]) -> str | None:
    """The checkpoint file that a path or prefix means; None if there is none."""
    name = os.fsdecode(path)
    for candidate in (name, f"{name}{_SUFFIX}"):
        if os.path.isfile(candidate):
            return candidate
    return None


def opened(path: str | os.PathLike[str]) -> TensorFile:
    """The open file that a path or prefix means.

    Raises:
        NotFoundError: there is none. CheckpointError: it is damaged.
    """
    found = existing_file(path)
    if found is None:
        name = os.fsdecode(path)
        near = newest(name)
        raise NotFoundError(
            None, None,
            f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {name}"
            + (f"; there is {near}" if near else ""),
        )  # fmt: skip
    try:
        return open_tensors(found)
    except CheckpointNotFoundError as error:
        raise NotFoundError(None, None, str(error)) from None


def restore_values(file: TensorFile, variables: Mapping[str, Variable]) -> None:
    """Assign to each variable the tensor of its name, to all or none.

    Raises:
        NotFoundError: a tensor is not in the file. InvalidArgumentError: it has another shape or dtype.
    """
    known = set(file.names)
    for name, variable in variables.items():
        if name not in known:
            raise NotFoundError(None, None, f"Key {name} not found in checkpoint")
        shape, dtype = file.shape(name), file.dtype(name)
        if shape != variable.shape or dtype != variable.dtype:
            raise _Unfitting(
                f"Assign requires shapes and dtypes of both tensors to match: {name} in the checkpoint is "
                f"{dtype}[{','.join(map(str, shape))}], the variable {describe(variable)}"
            )
    hosts = file.read_all(list(variables), True)
    targets = list(variables.values())
    arrays = [x.type.backend.from_host(host, x.device) for x, host in zip(targets, hosts, strict=True)]
    replace_all(targets, [None] * len(targets), arrays)


class _Unfitting(InvalidArgumentError, CheckpointError):
    """A tensor of a checkpoint does not fit its variable."""

    def __init__(self, message: str) -> None:
        InvalidArgumentError.__init__(self, None, None, message)
        self.__dict__.update(summary=message, expected="", got="", fix="")
