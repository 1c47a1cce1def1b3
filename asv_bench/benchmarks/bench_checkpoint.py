"""Saving and restoring a checkpoint of 16 MB, with real files."""

from __future__ import annotations

import shutil
import tempfile

import numpy as np

import polytape as pt

from .common import OnDevice, check


class Model(pt.Trackable):
    """Four variables of 4 MB."""

    def __init__(self, device, fill):
        self.a, self.b, self.c, self.d = (
            pt.Variable(np.full((1000, 1000), fill + i, "f4"), device=device) for i in range(4)
        )


class Checkpoint(OnDevice):
    """One save or one restore per sample."""

    def prepare(self, device):
        self.folder = tempfile.mkdtemp(prefix="polytape-bench-")
        self.prefix = f"{self.folder}/model"
        self.checkpoint = pt.Checkpoint(model=Model(device, 1.0))
        self.path = self.checkpoint.save(self.prefix)
        self.restored = Model(device, 0.0)
        self.reader = pt.Checkpoint(model=self.restored)
        self.reader.restore(self.path)
        check([self.restored.d], [np.full((1000, 1000), 4.0)])

    def teardown(self, device):
        # Called after each sample: the next set-up creates a new folder, outside the timed part.
        if self.prepared is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.prepared = None

    def time_save(self, device):
        self.checkpoint.save(self.prefix)

    def time_restore(self, device):
        self.reader.restore(self.path)

    time_save.version = time_restore.version = "1: one file of 16 MB per sample"
