"""The command ``polytape``: one module per subcommand, loaded when it is called.

May import: `backend`, `buildinfo`, `checkpoint`, `dispatch`, `errors`, `placement`, `plugins`, `registry`, `settings`,
`testing`, and polytape itself.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from ..errors import PolytapeError

__all__ = ["COMMANDS", "main"]

# Subcommand -> its line in the help. The module of a subcommand has its name (with "_" for "-") and defines
# add_arguments(parser) and run(arguments) -> exit status.
COMMANDS = {
    "backends": "list the backends: devices, status, and the remedy for each that is not ready",
    "checkpoint": "list, inspect, compare, verify and convert checkpoints; also safetensors and PyTorch files",
    "conformance": "check a backend tier by tier, with a program that reproduces each failure",
    "doctor": "report on this installation; fails if the requested backend is not ready",
    "explain": "show which kernel an op would run on the given operands, and why",
    "new-backend": "make a new distribution with a backend, whose tests pass at once",
    "perf": "compare the speed of two commits, or of two backends",
    "run": "run a graph that a traced function was exported to, on arrays from files",
    "todo": "list the primitives that a backend has no kernel for, and what each would make available",
}


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="polytape",
        usage="polytape COMMAND ...",
        description="Inspect polytape, its backends and their kernels.",
        epilog=f"commands:\n{listing}\n\nRun `polytape COMMAND --help` for details.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _unknown_command(name: str) -> int:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean {near[0]!r}?" if near else "see `polytape --help`"
    print(f"polytape: unknown command {name!r} (available: {', '.join(COMMANDS)}); {hint}", file=sys.stderr)
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``polytape``, and return the exit status.

    Args:
        argv: the arguments, without the program's name; default: those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if words and not words[0].startswith("-"):
        return _run(words[0], words[1:])
    arguments = parser.parse_args(words)
    if arguments.version:
        from .doctor import version

        print(f"polytape {version()}")
        return 0
    parser.print_help()
    return 2


def _run(name: str, words: list[str]) -> int:
    if name not in COMMANDS:
        return _unknown_command(name)
    try:
        module = importlib.import_module(f".{name.replace('-', '_')}", __name__)
        parser = argparse.ArgumentParser(prog=f"polytape {name}", description=module.__doc__)
        module.add_arguments(parser)
        status: int = module.run(parser.parse_args(words))
        return status
    except PolytapeError as error:
        print(f"polytape {name}: {error}", *getattr(error, "__notes__", []), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f"polytape {name}: interrupted", *getattr(error, "__notes__", []), sep="; ", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader closed the pipe (`| head`); without this, Python would report the error again at exit.
        sys.stdout = None
        return 0
