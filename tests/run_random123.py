"""Compare `polytape.random`'s bits with Random123's known answers: `python tests/run_random123.py FILE...`.

The files are ``tests/kat_vectors`` and ``tests/old_kat_vectors`` of a checkout of DEShawResearch/random123. Every line
for Philox4x32-10 is checked on every backend that is ready, alone and as the start of a long draw; those for
Philox4x64-10, whose blocks the masks of dropout are made of, with the function that computes a block.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import polytape as pt
from polytape.ops.random import random_bits
from polytape_numpy.kernels.philox import block64


def vectors(path: Path, generator: str = "philox4x32") -> list[list[int]]:
    """The lines for a generator: four words of the counter, two of the key, four of the answer."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[int(word, 16) for word in line.split()[2:12]] for line in lines if line.startswith(f"{generator} 10 ")]


def wrong(vector: list[int], device: str) -> bool:
    """Whether a device gives another answer."""
    c0, c1, c2, c3, k0, k1, *answer = vector
    state = pt.asarray(np.array([k0 | k1 << 32, c0 | c1 << 32], "uint64"), device="numpy")
    return any(random_bits(state, lane=c2 | c3 << 32, n=n, device=device).tolist()[:4] != answer for n in (4, 4000))


def main() -> int:
    """Check all files on all backends; the exit status is 1 if an answer differs or a file has none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--backends", default="numpy,numba,sim")
    options = parser.parse_args()
    failed = False
    for path in options.files:
        known = vectors(path)
        for backend in options.backends.split(","):
            bad = sum(wrong(vector, backend) for vector in known)
            print(f"{path.name} on {backend}: {len(known) - bad} of {len(known)} answers agree")
            failed = failed or bool(bad) or not known
        known = vectors(path, "philox4x64")
        bad = sum(block64((c0, c1, c2, c3), (k0, k1)) != tuple(answer) for c0, c1, c2, c3, k0, k1, *answer in known)
        print(f"{path.name}, blocks of 64-bit words: {len(known) - bad} of {len(known)} answers agree")
        failed = failed or bool(bad)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
