"""Saver: checkpoints of variables by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ....checkpoint.series import Policy
from ....tensors.variable import Variable
from ...mode import building
from ..graph.saving import number_of, saveable_variables, session_for, with_values
from ..variables.members import shared_name
from .files import NamedVariables, opened, restore_values

__all__ = ["Saver", "by_name"]


def by_name(var_list: Any) -> dict[str, Variable]:
    """Variables by the names of their tensors.

    Args:
        var_list: a sequence of variables, which have names, or a dict of them by name.
    Raises:
        ValueError: two variables have one name, or a variable is there twice. TypeError: something is no variable.
    """
    if isinstance(var_list, Mapping):
        pairs = list(var_list.items())
    else:
        pairs = [(shared_name(x) if isinstance(x, Variable) else "", x) for x in var_list]
    named: dict[str, Variable] = {}
    for name, variable in pairs:
        if not isinstance(variable, Variable):
            raise TypeError(f"Variable to save is not a Variable: {variable}")
        if name in named and named[name] is not variable:
            raise ValueError(f"At least two variables have the same name: {name}")
        named[name] = variable
    if len({id(variable) for variable in named.values()}) != len(named):
        raise ValueError("The same variable will be saved with two names")
    return named


class Saver:
    """Saves variables by name, and restores them.

    Args:
        var_list: variables, or a dict of them by name; default: the global variables of the graph. In eager mode there
            is no default.
        max_to_keep: how many checkpoints with a global step to keep; None or 0 keeps all.
        keep_checkpoint_every_n_hours: of the older ones, one per this many hours stays for good.
        save_relative_paths: True or False; paths in the state file are relative in either case.
        reshape, sharded, restore_sequentially, saver_def, builder, defer_build, allow_empty, write_version,
            pad_step_number, filename, name: accepted for compatibility with TensorFlow, and ignored.

    The file is ``<save_path>-<global_step>.safetensors``, or without a global step ``<save_path>.safetensors``. Any
    reader of safetensors finds the tensors by the variables' names.

    Raises:
        RuntimeError: there is no ``var_list``. ValueError: two variables have one name.
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: object = None,
        builder: object = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = 2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if var_list is None and building():
            var_list = saveable_variables()
        if var_list is None:
            raise RuntimeError(
                "When eager execution is enabled, `var_list` must specify a list or dict of variables to save"
            )
        if not var_list and not allow_empty:
            raise ValueError("No variables to save")
        self._named = by_name(var_list)
        self._policy = Policy(max_to_keep or None, keep_checkpoint_every_n_hours * 3600.0)
        self._last: list[str] = []

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints of this saver that exist, oldest first."""
        return [path for path in self._last if os.path.isfile(path)]

    def save(
        self,
        sess: object,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
    ) -> str:
        """Save the values.

        Args:
            sess: the session whose values are saved; in eager mode None.
            save_path: the prefix of the file.
            global_step: a number, or an integer variable, for the end of the file's name.
            latest_filename, meta_graph_suffix, write_meta_graph, write_state, strip_default_attrs: accepted for
                compatibility with TensorFlow, and ignored.
        Returns:
            The path of the file, for `restore`.
        Raises:
            CheckpointError: the file cannot be written. FailedPreconditionError: a variable has no value. TypeError: in
                graph mode, there is no session.
        """
        if building():
            session = session_for(sess)
            number = None if global_step is None else number_of(session, global_step)
            found: str = with_values(session, lambda: self.save(None, save_path, number), self._named.values())
            return found
        checkpoint = NamedVariables(self._named)
        if global_step is None:
            path = checkpoint._save(f"{save_path}.safetensors", Policy(None), None, True)
        else:
            path = checkpoint._save(os.fsdecode(save_path), self._policy, int(global_step), True)
        self._last = [*[known for known in self._last if known != path], path]
        return path

    def restore(self, sess: object, save_path: str) -> None:
        """Assign the values of a checkpoint, to all variables or none.

        Args:
            sess: the session that gets the values; in eager mode None.
            save_path: what `save` returned, also without ``.safetensors``.
        Raises:
            NotFoundError: there is no such file, or a variable is not in it. InvalidArgumentError: a tensor has another
                shape or dtype than its variable. ValueError: there is no path. TypeError: in graph mode, there is no
                session.
        """
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        if building():
            with_values(session_for(sess), lambda: self.restore(None, save_path))
            return
        with opened(save_path) as file:
            restore_values(file, self._named)
