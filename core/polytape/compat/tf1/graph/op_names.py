"""What TensorFlow 1.7 calls the operations that its functions make."""

from __future__ import annotations

import functools
from typing import Final

__all__ = ["names_of"]

# By function of ``tf``: the op that gives the result, and its name if that is not the op's; of TensorFlow 1.7.0 itself.
# A "*" is the op again.
# What a given name replaces is the part before the first slash.
_TABLE: Final = """
Print Print
abs Abs
accumulate_n AccumulateNV2
acos Acos
acosh Acosh
add Add
add_n AddN
angle Angle
arg_max ArgMax
arg_min ArgMin
argmax ArgMax
argmin ArgMin
asin Asin
asinh Asinh
assign Assign
assign_add AssignAdd
assign_sub AssignSub
atan Atan
atan2 Atan2
atanh Atanh
batch_to_space BatchToSpaceND
batch_to_space_nd BatchToSpaceND
betainc Betainc
bincount Bincount
bitcast Bitcast
bitwise.bitwise_and BitwiseAnd
bitwise.bitwise_or BitwiseOr
bitwise.bitwise_xor BitwiseXor
bitwise.invert Invert
bitwise.left_shift LeftShift
bitwise.right_shift RightShift
boolean_mask Gather boolean_mask/Gather
broadcast_dynamic_shape BroadcastArgs
case Merge case/cond/Merge
cast Cast
ceil Ceil
check_numerics CheckNumerics
cholesky Cholesky
cholesky_solve MatrixTriangularSolve cholesky_solve/MatrixTriangularSolve_1
clip_by_average_norm Identity clip_by_average_norm
clip_by_global_norm Identity clip_by_global_norm/clip_by_global_norm/_0
clip_by_norm Identity clip_by_norm
clip_by_value Maximum clip_by_value
complex Complex
concat ConcatV2 concat
cond Merge cond/Merge
confusion_matrix SparseTensorDenseAdd confusion_matrix/SparseTensorDenseAdd
conj Conj
constant Const
contrib.layers.l2_regularizer Mul l2_regularizer
convert_to_tensor Const
cos Cos
cosh Cosh
count_nonzero Sum count_nonzero/Sum
count_up_to CountUpTo
cross Cross
cumprod Cumprod
cumsum Cumsum
depth_to_space DepthToSpace
diag Diag
diag_part DiagPart
digamma Digamma
div RealDiv div
divide RealDiv truediv
dynamic_partition DynamicPartition
dynamic_stitch DynamicStitch
einsum Transpose einsum/transpose_2
equal Equal
erf Erf
erfc Erfc
exp Exp
expand_dims ExpandDims
expm1 Expm1
extract_image_patches ExtractImagePatches
eye MatrixSetDiag eye/MatrixSetDiag
fft FFT
fft2d FFT2D
fill Fill
floor Floor
floor_div FloorDiv
floordiv FloorDiv floordiv
floormod FloorMod
gather Gather
gather_nd GatherNd
global_norm Sqrt global_norm/global_norm
greater Greater
greater_equal GreaterEqual
histogram_fixed_width HistogramFixedWidth histogram_fixed_width
histogram_fixed_width_bins Reshape histogram_fixed_width_bins/Reshape_1
identity Identity
identity_n IdentityN
ifft IFFT
igamma Igamma
igammac Igammac
imag Imag
image.adjust_brightness Identity adjust_brightness/Identity_1
image.adjust_contrast Identity adjust_contrast/Identity_1
image.adjust_gamma Mul adjust_gamma/mul_1
image.adjust_hue Identity adjust_hue/Identity_1
image.adjust_saturation Identity adjust_saturation/Identity_1
image.central_crop Slice central_crop/Slice
image.convert_image_dtype Mul convert_image
image.crop_to_bounding_box Squeeze crop_to_bounding_box/Squeeze
image.flip_left_right ReverseV2 flip_left_right/ReverseV2
image.flip_up_down ReverseV2 flip_up_down/ReverseV2
image.grayscale_to_rgb Tile grayscale_to_rgb
image.hsv_to_rgb HSVToRGB
image.non_max_suppression NonMaxSuppressionV2 non_max_suppression/NonMaxSuppressionV2
image.pad_to_bounding_box Squeeze pad_to_bounding_box/Squeeze
image.per_image_standardization RealDiv per_image_standardization
image.resize_bilinear ResizeBilinear
image.resize_image_with_crop_or_pad Squeeze resize_image_with_crop_or_pad/Squeeze
image.resize_images Squeeze resize_images/Squeeze
image.resize_nearest_neighbor ResizeNearestNeighbor
image.rgb_to_grayscale Identity rgb_to_grayscale
image.rgb_to_hsv RGBToHSV
image.rgb_to_yiq Reshape Tensordot
image.rgb_to_yuv Reshape Tensordot
image.rot90 Merge rot90/cond/Merge
image.total_variation Add total_variation/add
image.transpose_image Transpose transpose_image/transpose_image
image.yiq_to_rgb Reshape Tensordot
image.yuv_to_rgb Reshape Tensordot
invert_permutation InvertPermutation
is_finite IsFinite
is_inf IsInf
is_nan IsNan
is_non_decreasing All is_non_decreasing/All
is_strictly_increasing All is_strictly_increasing/All
lbeta Sub lbeta/sub
less Less
less_equal LessEqual
lgamma Lgamma
linalg.adjoint ConjugateTranspose adjoint/matrix_transpose/transpose
linalg.expm MatrixExponential
linalg.logdet Mul logdet/mul
linalg.logm MatrixLogarithm
linalg.norm Squeeze norm/Squeeze
linalg.slogdet LogMatrixDeterminant
linspace LinSpace
log Log
log1p Log1p
log_sigmoid Neg LogSigmoid
logical_and LogicalAnd
logical_not LogicalNot
logical_or LogicalOr
logical_xor LogicalAnd LogicalXor
losses.absolute_difference Select absolute_difference/value
losses.compute_weighted_loss Select weighted_loss/value
losses.cosine_distance Select cosine_distance_loss/value
losses.hinge_loss Select hinge_loss/value
losses.huber_loss Select huber_loss/value
losses.log_loss Select log_loss/value
losses.mean_pairwise_squared_error Select mean_pairwise_squared_error/value_2
losses.mean_squared_error Select mean_squared_error/value
losses.sigmoid_cross_entropy Select sigmoid_cross_entropy_loss/value
losses.softmax_cross_entropy Select softmax_cross_entropy_loss/value
losses.sparse_softmax_cross_entropy Select sparse_softmax_cross_entropy_loss/value
manip.roll Roll
matmul MatMul
matrix_band_part MatrixBandPart
matrix_determinant MatrixDeterminant
matrix_diag MatrixDiag
matrix_diag_part MatrixDiagPart
matrix_inverse MatrixInverse
matrix_set_diag MatrixSetDiag
matrix_solve MatrixSolve
matrix_solve_ls MatrixTriangularSolve matrix_solve_ls/cholesky_solve/MatrixTriangularSolve_1
matrix_transpose Transpose matrix_transpose/transpose
matrix_triangular_solve MatrixTriangularSolve
maximum Maximum
meshgrid Mul meshgrid/mul
minimum Minimum
mod FloorMod
multinomial Multinomial multinomial/Multinomial
multiply Mul
negative Neg
nn.atrous_conv2d BatchToSpaceND convolution/BatchToSpaceND
nn.avg_pool AvgPool
nn.avg_pool3d AvgPool3D
nn.batch_normalization Add batchnorm/add_1
nn.bias_add BiasAdd
nn.conv1d Squeeze conv1d/Squeeze
nn.conv2d Conv2D
nn.conv2d_backprop_filter Conv2DBackpropFilter
nn.conv2d_backprop_input Conv2DBackpropInput
nn.conv2d_transpose Conv2DBackpropInput conv2d_transpose
nn.conv3d Conv3D
nn.conv3d_transpose Conv3DBackpropInputV2 conv3d_transpose
nn.convolution Conv2D convolution
nn.crelu Relu CRelu/Relu
nn.depthwise_conv2d DepthwiseConv2dNative depthwise
nn.depthwise_conv2d_native DepthwiseConv2dNative
nn.dropout Mul dropout/mul
nn.elu Elu
nn.embedding_lookup Gather embedding_lookup
nn.fused_batch_norm FusedBatchNorm
nn.in_top_k InTopKV2 in_top_k/InTopKV2
nn.l2_loss L2Loss
nn.l2_normalize Mul l2_normalize
nn.leaky_relu Maximum LeakyRelu/Maximum
nn.log_poisson_loss Sub log_poisson_loss/sub
nn.log_softmax LogSoftmax
nn.lrn LRN
nn.max_pool MaxPool
nn.max_pool3d MaxPool3D
nn.moments Squeeze moments/Squeeze
nn.normalize_moments Mul normalize/mean
nn.pool MaxPool max_pool
nn.relu Relu
nn.relu6 Relu6
nn.relu_layer Relu relu_layer
nn.selu Selu
nn.separable_conv2d Conv2D separable_conv2d
nn.sigmoid Sigmoid
nn.sigmoid_cross_entropy_with_logits Add logistic_loss
nn.softmax Softmax
nn.softmax_cross_entropy_with_logits Reshape softmax_cross_entropy_with_logits_sg/Reshape_2
nn.softmax_cross_entropy_with_logits_v2 Reshape softmax_cross_entropy_with_logits/Reshape_2
nn.softplus Softplus
nn.softsign Softsign
nn.sparse_softmax_cross_entropy_with_logits SparseSoftmaxCrossEntropyWithLogits */*
nn.sufficient_statistics Const sufficient_statistics/Const
nn.swish swish_f32
nn.tanh Tanh
nn.top_k TopKV2
nn.weighted_cross_entropy_with_logits Add logistic_loss
nn.weighted_moments Squeeze weighted_moments/Squeeze
nn.xw_plus_b BiasAdd xw_plus_b
nn.zero_fraction Mean zero_fraction/Mean
norm Squeeze norm/Squeeze
not_equal NotEqual
one_hot OneHot one_hot
ones Fill ones
ones_like Fill ones_like
pad Pad
parallel_stack ParallelConcat parallel_stack/ParallelConcat
placeholder_with_default PlaceholderWithDefault
polygamma Polygamma
pow Pow
py_func PyFunc
qr Qr
random_crop Slice random_crop
random_gamma Maximum random_gamma/Maximum
random_normal Add random_normal
random_poisson RandomPoissonV2 random_poisson/RandomPoissonV2
random_shuffle RandomShuffle
random_uniform Add random_uniform
range Range range
rank Rank
real Real
realdiv RealDiv
reciprocal Reciprocal
reduce_all All
reduce_any Any
reduce_logsumexp Add ReduceLogSumExp/add
reduce_max Max
reduce_mean Mean
reduce_min Min
reduce_prod Prod
reduce_sum Sum
required_space_to_batch_paddings Const required_space_to_batch_paddings/paddings
reshape Reshape
reverse ReverseV2
reverse_sequence ReverseSequence
rint Rint
round Round
rsqrt Rsqrt
saturate_cast Cast saturate_cast
scalar_mul Mul mul
scatter_add ScatterAdd
scatter_nd ScatterNd
scatter_nd_add ScatterNdAdd
scatter_nd_sub ScatterNdSub
scatter_nd_update ScatterNdUpdate
scatter_sub ScatterSub
scatter_update ScatterUpdate
segment_max SegmentMax
segment_mean SegmentMean
segment_min SegmentMin
segment_prod SegmentProd
segment_sum SegmentSum
self_adjoint_eig SelfAdjointEigV2
self_adjoint_eigvals SelfAdjointEigV2
sequence_mask Less SequenceMask/Less
setdiff1d ListDiff
shape Shape
shape_n ShapeN
sigmoid Sigmoid
sign Sign
sin Sin
sinh Sinh
size Size
slice Slice
space_to_batch SpaceToBatchND
space_to_batch_nd SpaceToBatchND
space_to_depth SpaceToDepth
sparse_segment_mean SparseSegmentMean
sparse_segment_sqrt_n SparseSegmentSqrtN
sparse_segment_sum SparseSegmentSum
sparse_to_dense SparseToDense
spectral.irfft IRFFT irfft
spectral.rfft RFFT rfft
split Split split
sqrt Sqrt
square Square
squared_difference SquaredDifference
squeeze Squeeze
stack Pack stack
stop_gradient StopGradient
strided_slice StridedSlice
subtract Sub
svd Svd
tan Tan
tanh Tanh
tensordot Reshape Tensordot
tile Tile
to_bfloat16 Cast ToBFloat16
to_double Cast ToDouble
to_float Cast ToFloat
to_int32 Cast ToInt32
to_int64 Cast ToInt64
trace Sum Trace
train.cosine_decay Mul CosineDecay/Mul
train.exponential_decay Mul ExponentialDecay
train.inverse_time_decay RealDiv InverseTimeDecay
train.natural_exp_decay Mul NaturalExpDecay
train.piecewise_constant Merge PiecewiseConstant/case/cond/Merge
train.polynomial_decay Add PolynomialDecay
transpose Transpose transpose
truediv RealDiv truediv
truncated_normal Add truncated_normal
truncatediv TruncateDiv
truncatemod TruncateMod
tuple Identity tuple/control_dependency
unique Unique
unique_with_counts UniqueWithCounts
unravel_index UnravelIndex
unsorted_segment_max UnsortedSegmentMax
unsorted_segment_min UnsortedSegmentMin
unsorted_segment_prod UnsortedSegmentProd
unsorted_segment_sum UnsortedSegmentSum
unstack Unpack unstack
verify_tensor_all_finite Identity VerifyFinite/control_dependency
where Select
zeros Fill zeros
zeros_like ZerosLike zeros_like
zeta Zeta
"""


@functools.cache
def _table() -> dict[str, tuple[str, str, str]]:
    found = {}
    for line in _TABLE.strip().splitlines():
        path, op, *names = line.split()
        name, slash, rest = (names[0].replace("*", op) if names else op).partition("/")
        found[path] = op, name, slash + rest
    return found


def names_of(path: str, given: str | None = None) -> tuple[str, str, str]:
    """The op's type, the first part of the operation's name, and the rest of it.

    Args:
        path: the function's name below ``tf``, such as ``nn.relu``.
        given: the name that the program gives.
    """
    function = path.rpartition(".")[2]
    op, name, rest = _table().get(path) or (function, function, "")
    return op, given or name, rest
