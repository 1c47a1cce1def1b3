"""TensorFlow 1.7's ``tf.flags`` and ``tf.app.flags``: options of the command line.

``tf.flags.DEFINE_integer("steps", 100, "how many steps")`` declares the option ``--steps=7`` or ``--steps 7``, whose
value is ``tf.flags.FLAGS.steps``. The command line is read when a value is first needed. Options that nobody has
declared stay in the arguments that `tf.app.run` passes to ``main``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

__all__ = [
    "FLAGS",
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_string",
    "FlagValues",
    "mark_flag_as_required",
]


class FlagValues:
    """The values of the declared options, as attributes and as items.

    Raises:
        AttributeError: an option is read that was not declared.
    """

    def __init__(self) -> None:
        self.__dict__.update(_defaults={}, _options=[], _values={}, _required=set(), _read=False)

    def declare(self, name: str, default: Any, help: str, **options: Any) -> None:
        """Add an option."""
        self._defaults[name] = default
        self._options.append((name, help, options))
        self.__dict__["_read"] = False  # a later declaration may be on the command line too

    def require(self, name: str) -> None:
        """Let `__call__` fail if an option has no value."""
        self._required.add(name)

    def __call__(self, argv: Sequence[str]) -> list[str]:
        """Read a command line, and return what is left of it.

        Args:
            argv: the program's name, then the arguments.
        """
        parser = argparse.ArgumentParser(prog=argv[0] if argv else None, allow_abbrev=False)
        for name, text, options in self._options:
            if options.get("type") is bool:
                group = parser.add_mutually_exclusive_group()
                unset = argparse.SUPPRESS
                group.add_argument(f"--{name}", nargs="?", const=True, type=_truth, default=unset, help=text)
                group.add_argument(f"--no{name}", dest=name, action="store_false", default=argparse.SUPPRESS)
            else:
                parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=text, **options)
        found, rest = parser.parse_known_args(list(argv[1:]))
        self._values.update(vars(found))
        self.__dict__["_read"] = True
        missing = [name for name in sorted(self._required) if self._value(name) is None]
        if missing:
            parser.error(f"flag --{missing[0]} must have a value other than None.")
        return [*argv[:1], *rest]

    def _value(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._defaults[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._defaults:
            raise AttributeError(f"Unknown command line flag {name!r}; declared are: {', '.join(self) or 'none'}")
        if not self._read:
            self(sys.argv)
        return self._value(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value
        self._defaults.setdefault(name, value)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __contains__(self, name: str) -> bool:
        return name in self._defaults

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._defaults))

    def flag_values_dict(self) -> dict[str, Any]:
        """The values by name."""
        return {name: getattr(self, name) for name in self}


FLAGS: Final = FlagValues()


def _truth(text: str) -> bool:
    if text.lower() in ("true", "t", "1", "yes", "y"):
        return True
    if text.lower() in ("false", "f", "0", "no", "n"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _declaring(kind: str, doc: str, **options: Any) -> Callable[..., None]:
    def define(flag_name: str, default_value: Any, docstring: str, **more: Any) -> None:
        FLAGS.declare(flag_name, default_value, docstring, **options)

    define.__name__ = define.__qualname__ = f"DEFINE_{kind}"
    define.__doc__ = doc
    return define


DEFINE_string = _declaring("string", "Declare an option whose value is a text.")
DEFINE_integer = _declaring("integer", "Declare an option whose value is an int.", type=int)
DEFINE_float = _declaring("float", "Declare an option whose value is a float.", type=float)
DEFINE_boolean = _declaring("boolean", "Declare an option ``--name``, ``--noname`` or ``--name=true``.", type=bool)
DEFINE_bool = DEFINE_boolean
DEFINE_list = _declaring("list", "Declare an option of texts with commas between.", type=lambda text: text.split(","))


def DEFINE_enum(flag_name: str, default_value: Any, enum_values: Sequence[str], docstring: str) -> None:
    """Declare an option whose value is one of some texts."""
    FLAGS.declare(flag_name, default_value, docstring, choices=list(enum_values))


def mark_flag_as_required(flag_name: str) -> None:
    """Let the program end with a message if an option has no value."""
    FLAGS.require(flag_name)
