"""The names of ``tf.image`` that work on pixels; those that read and write files' formats are not here."""

from __future__ import annotations

__all__ = ["ROWS"]

ROWS = """
adjust_brightness(image, delta):
    brightened(tensor(image), delta)
adjust_contrast(images, contrast_factor):
    contrasted(tensor(images), contrast_factor)
adjust_gamma(image, gamma=1, gain=1):
    gamma_corrected(tensor(image), gamma, gain)
adjust_hue(image, delta, name=None):
    hue_shifted(tensor(image), delta)
adjust_saturation(image, saturation_factor, name=None):
    saturation_scaled(tensor(image), saturation_factor)
central_crop(image, central_fraction):
    central_part(tensor(image), central_fraction)
convert_image_dtype(image, dtype, saturate=False, name=None):
    image_as(tensor(image), lookup(dtype), saturate)
crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    box_of(tensor(image), integers([offset_height, offset_width, target_height, target_width]))
flip_left_right(image):
    pt.flip(as_image(image), axis=-2)
flip_up_down(image):
    pt.flip(as_image(image), axis=-3)
grayscale_to_rgb(images, name=None):
    pt.concat([tensor(images)] * 3, axis=-1)
hsv_to_rgb(images, name=None):
    from_hsv(real(images))
non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, name=None):
    kept_boxes(real(boxes), real(scores), integer(max_output_size), iou_threshold)
pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    in_larger_box(tensor(image), integers([offset_height, offset_width, target_height, target_width]))
per_image_standardization(image):
    standardized(tensor(image))
random_brightness(image, max_delta, seed=None):
    brightened(tensor(image), uniform_number(-max_delta, max_delta, seed))
random_contrast(image, lower, upper, seed=None):
    contrasted(tensor(image), uniform_number(lower, upper, seed))
random_flip_left_right(image, seed=None):
    flipped_at_random(as_image(image), -2, seed)
random_flip_up_down(image, seed=None):
    flipped_at_random(as_image(image), -3, seed)
random_hue(image, max_delta, seed=None):
    hue_shifted(tensor(image), uniform_number(-max_delta, max_delta, seed))
random_saturation(image, lower, upper, seed=None):
    saturation_scaled(tensor(image), uniform_number(lower, upper, seed))
resize_area(images, size, align_corners=False, name=None):
    resized(tensor(images), size, 3, align_corners)
resize_bicubic(images, size, align_corners=False, name=None):
    resized(tensor(images), size, 2, align_corners)
resize_bilinear(images, size, align_corners=False, name=None):
    resized(tensor(images), size, 0, align_corners)
resize_image_with_crop_or_pad(image, target_height, target_width):
    cropped_or_padded(tensor(image), integer(target_height), integer(target_width))
resize_images(images, size, method=0, align_corners=False):
    resized(tensor(images), size, method, align_corners, keep_equal=True)
resize_nearest_neighbor(images, size, align_corners=False, name=None):
    resized(tensor(images), size, 1, align_corners)
rgb_to_grayscale(images, name=None):
    gray(tensor(images))
rgb_to_hsv(images, name=None):
    to_hsv(real(images))
rgb_to_yiq(images):
    mixed(real(images), YIQ)
rgb_to_yuv(images):
    mixed(real(images), YUV)
rot90(image, k=1, name=None):
    pt.rot90(as_image(image), k=integer(k), axes=(-3, -2))
total_variation(images, name=None):
    variation(tensor(images))
transpose_image(image):
    pt.swapaxes(as_image(image), -3, -2)
yiq_to_rgb(images):
    mixed(real(images), FROM_YIQ)
yuv_to_rgb(images):
    mixed(real(images), FROM_YUV)
"""
