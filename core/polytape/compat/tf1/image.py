"""TensorFlow 1.7's ``tf.image``, without the formats of files."""

from __future__ import annotations

from typing import Any

from .rows.image import ROWS
from .tables import Table


class ResizeMethod:
    """The methods of ``resize_images``, by TensorFlow's numbers."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_CODECS = """
    decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png encode_jpeg encode_png
    extract_jpeg_shape is_jpeg
"""
MISSING = f"""
    {", ".join(_CODECS.split())}: polytape reads no image files; tf.constant(numpy.asarray(PIL.Image.open(path)))
    draw_bounding_boxes, extract_glimpse, crop_and_resize, sample_distorted_bounding_box: polytape.nn.grid_sample, or indices
    resize: tf.image.resize_images(images, size)
    ssim, psnr, image_gradients, sobel_edges, random_crop: a later TensorFlow's; TensorFlow 1.7 has tf.random_crop
"""  # noqa: E501  # a line per fix
TABLE = Table("image", rows=ROWS, missing=MISSING, values={"ResizeMethod": ResizeMethod})
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
