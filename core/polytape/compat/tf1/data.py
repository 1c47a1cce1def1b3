"""TensorFlow 1.7's ``tf.data``, over `polytape.data`."""

from __future__ import annotations

from .data_files import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from .data_iterators import Iterator
from .data_pipelines import Dataset

__all__ = ["Dataset", "FixedLengthRecordDataset", "Iterator", "TFRecordDataset", "TextLineDataset"]
