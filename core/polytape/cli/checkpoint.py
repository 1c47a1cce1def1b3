"""List, inspect, compare, verify and convert checkpoints. Other safetensors files and PyTorch files of state dicts are
read too; no code in them is run."""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..checkpoint.exchange import FORMATS, convert, differences, read_contents
from ..checkpoint.format import open_tensors
from ..checkpoint.state import kept_checkpoints, read_state
from ..errors import CheckpointError

__all__ = ["add_arguments", "run"]

_MOST_SHOWN = 200  # characters of a metadata string


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("ls", help="list the checkpoints of a directory, oldest first")
    listing.add_argument("path", metavar="DIRECTORY")
    inspecting = actions.add_parser("inspect", help="show the tensors and the metadata of a file")
    inspecting.add_argument("path", metavar="FILE")
    comparing = actions.add_parser("diff", help="compare two files tensor by tensor; fails if they differ")
    comparing.add_argument("path", metavar="FIRST")
    comparing.add_argument("second", metavar="SECOND")
    verifying = actions.add_parser("verify", help="compare all checksums; fails if a file is damaged")
    verifying.add_argument("paths", metavar="FILE|DIRECTORY", nargs="+")
    converting = actions.add_parser("convert", help="write the tensors of a file in another format")
    converting.add_argument("path", metavar="SOURCE")
    converting.add_argument("target", metavar="TARGET")
    converting.add_argument(
        "--to", choices=FORMATS, default="", help="default: pytorch for .pt, .pth and .bin, otherwise polytape"
    )
    converting.add_argument(
        "--rename",
        metavar="PATTERN=REPLACEMENT",
        action="append",
        default=[],
        help="replace a regular expression in each name (may be repeated)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    status: int = globals()[f"_{arguments.action}"](arguments)
    return status


def _ls(arguments: argparse.Namespace) -> int:
    state = read_state(arguments.path)
    if state is None:
        print(f"polytape checkpoint: {arguments.path!r} has no checkpoints", file=sys.stderr)
        return 1
    missing = 0
    for name in state.kept:
        path = os.path.join(arguments.path, name)
        notes = ["latest"] * (name == state.latest) + ["stays"] * (name in state.preserved.names)
        try:
            status = os.stat(path)
        except OSError as error:
            missing += 1
            print(f"{'':>19} {'':>9}  {name}  missing: {error.strerror}")
            continue
        written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.st_mtime))
        print("  ".join([f"{written} {_size(status.st_size):>9}", name, *notes]))
    return 1 if missing else 0


def _size(nbytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if nbytes < 1000:
            return f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} GB"


def _inspect(arguments: argparse.Namespace) -> int:
    contents = read_contents(arguments.path)
    tensors = contents.tensors
    nbytes = sum([array.nbytes for array in tensors.values()])
    print(f"{arguments.path}: {contents.format}, {len(tensors)} tensors, {_size(nbytes)}")
    width = max(map(len, tensors), default=0)
    for name, array in sorted(tensors.items()):
        shape = ",".join(map(str, array.shape))
        print(f"  {name:<{width}}  {array.dtype.name}[{shape}]  {_size(array.nbytes)}")
    for name, kind in contents.left_out.items():
        print(f"  {name}: no tensor, {kind}")
    for key, text in contents.metadata.items():
        print(f"  metadata {key}: {text[:_MOST_SHOWN]}{'...' if len(text) > _MOST_SHOWN else ''}")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    first, second = [read_contents(path).tensors for path in (arguments.path, arguments.second)]
    found = differences(first, second)
    for name, text in found.items():
        print(f"{name}: {text}")
    print(f"{len(found)} of {len({*first, *second})} tensors differ")
    return 1 if found else 0


def _verify(arguments: argparse.Namespace) -> int:
    status = 0
    for path in arguments.paths:
        files = kept_checkpoints(path) if os.path.isdir(path) else [path]
        if not files:
            print(f"{path}: no checkpoints")
        for file in files:
            try:
                with open_tensors(file) as opened:
                    opened.verify()
                print(f"{file}: {len(opened.names)} tensors, all checksums match")
            except CheckpointError as error:
                status = 1
                print(f"{file}: {error}")
    return status


def _convert(arguments: argparse.Namespace) -> int:
    renames = []
    for text in arguments.rename:
        pattern, separator, replacement = text.partition("=")
        if not separator:
            print(f"polytape checkpoint: --rename needs PATTERN=REPLACEMENT, got {text!r}", file=sys.stderr)
            return 2
        renames.append((pattern, replacement))
    contents = convert(arguments.path, arguments.target, arguments.to, renames)
    print(f"{arguments.target}: {contents.format}, {len(contents.tensors)} tensors")
    for name, kind in contents.left_out.items():
        print(f"  left out, as it is no tensor: {name} ({kind})", file=sys.stderr)
    return 0
