"""NumPy's functions: each exists here, has an error that names ours, or is left out for a reason; their gradients.

HIPS/autograd#788 asks for the gradients of about 50 functions. The table below has the differentiable functions of
NumPy that autograd 1.9 does not differentiate, found as those without a rule there, and what was added beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import UnknownNameError

# By reason, NumPy's names that neither exist here nor lead to ours.
_LEFT_OUT = {
    "text": """array2string array_repr array_str base_repr binary_repr datetime_as_string datetime_data
        format_float_positional format_float_scientific fromregex fromstring savetxt info typename printoptions
        get_printoptions set_printoptions""",
    "dates": "busday_count busday_offset is_busday isnat",
    "NumPy's own settings": """get_include getbufsize geterr geterrcall setbufsize seterr seterrcall show_config
        show_runtime test""",
    "memory, which tensors do not show": "isfortran may_share_memory shares_memory require nested_iters",
    "NumPy's own types": "asmatrix frompyfunc isscalar iterable min_scalar_type mintypecode",
    "integers and bits": """bitwise_count packbits unpackbits diag_indices diag_indices_from mask_indices
        tril_indices_from triu_indices_from ravel_multi_index spacing""",
    "files": "savez_compressed",
    "counts in several dimensions, and edges": "histogram2d histogramdd histogram_bin_edges",
    "the order of a contraction: einsum chooses it": "einsum_path",
    "windows of signals": "bartlett blackman hamming hanning kaiser",
    "a shape that depends on data, or an order of complex numbers": "trim_zeros sort_complex",
    "a comparison of shapes that broadcast": "array_equiv",
}

_RNG = np.random.default_rng(3)
_V, _W, _M = _RNG.normal(size=5), _RNG.normal(size=5), _RNG.normal(size=(3, 4))
_S, _GAPS = _RNG.normal(size=(3, 3)), np.where(_RNG.random((3, 4)) < 0.2, np.nan, _M)
_ROWS = np.array([2, 0, 1, 2])
_NAN_FREE = np.isnan(_GAPS)


def _with_gaps(name: str, *args: Any, **kwargs: Any) -> Any:
    return lambda x: getattr(pt, name)(pt.where(pt.asarray(_NAN_FREE), np.nan, x), *args, **kwargs)


def _parts(f: Any) -> Any:
    return lambda *x: [pt.real(f(*x)), pt.imag(f(*x))]


GRADIENTS: dict[str, tuple[Any, ...]] = {
    "append": (lambda x, y: pt.append(x, y, axis=0), _M, _M * 2),
    "apply_along_axis": (lambda x: pt.apply_along_axis(pt.cumulative_sum, 1, x), _M),
    "apply_over_axes": (lambda x: pt.apply_over_axes(pt.sum, x, (0, 1)), _M),
    "average": (lambda x, w: pt.average(x, 1, weights=w), _M, np.abs(_M) + 1),
    "block": (lambda x, y: pt.block([[x, y], [y, x]]), _M, _M + 1),
    "broadcast_arrays": (pt.broadcast_arrays, _M, _M[:1]),
    "cbrt": (pt.cbrt, _M),
    "choose": (lambda x, y: pt.choose(pt.asarray([0, 1, 1, 0, 1]), [x, y]), _V, _W),
    "column_stack": (lambda x, y: pt.column_stack([x, y]), _V, _W),
    "compress": (lambda x: pt.compress(pt.asarray([True, False, True]), x, axis=0), _M),
    "convolve": (pt.convolve, _V, _W[:3]),
    "copysign": (pt.copysign, _V, _W),
    "corrcoef": (pt.corrcoef, _M),
    "correlate": (pt.correlate, _V, _W[:3]),
    "cov": (pt.cov, _M),
    "cumulative_prod": (lambda x: pt.cumulative_prod(x, 1), _M),
    "cumulative_sum": (lambda x: pt.cumulative_sum(x, 1), _M),
    "delete": (lambda x: pt.delete(x, 1, axis=0), _M),
    "divmod": (pt.divmod, np.array([7.3, -5.2]), np.array([2.0, 3.1])),
    "dstack": (lambda x, y: pt.dstack([x, y]), _M, _M),
    "ediff1d": (pt.ediff1d, _M),
    "extract": (lambda x: pt.extract(pt.asarray(_M > 0), x), _M),
    "fill_diagonal": (lambda x: pt.fill_diagonal(x, 2.0), _S),
    "flip": (pt.flip, _M),
    "float_power": (pt.float_power, np.abs(_V) + 0.5, _W),
    "fmax": (pt.fmax, _V, _W),
    "fmin": (pt.fmin, _V, _W),
    "fmod": (pt.fmod, np.array([7.3, -5.2]), np.array([2.0, 3.1])),
    "frexp": (lambda x: pt.frexp(x)[0], np.abs(_V) + 0.1),
    "gradient": (pt.gradient, _V),
    "hstack": (lambda x, y: pt.hstack([x, y]), _V, _W),
    "identity": (pt.identity, _M),
    "inner": (pt.inner, _M, _M[:2] + 1),
    "insert": (lambda x, y: pt.insert(x, 1, y, axis=0), _M, _M[0]),
    "interp": (pt.interp, np.array([0.3, 1.7]), np.array([0.0, 1.0, 2.0]), _V[:3]),
    "ldexp": (lambda x: pt.ldexp(x, pt.asarray([1, -2, 0, 3, 1])), _V),
    "logaddexp2": (pt.logaddexp2, _V, _W),
    "matrix_transpose": (pt.matrix_transpose, _M),
    "matvec": (pt.matvec, _M, _M[0]),
    "mean": (lambda x: pt.mean(x, 1), _M),
    "median": (lambda x: pt.median(x, 1), _M),
    "meshgrid": (lambda x, y: pt.meshgrid(x, y), _V, _W[:2]),
    "modf": (pt.modf, _V),
    "nancumprod": (_with_gaps("nancumprod", 1), _M),
    "nancumsum": (_with_gaps("nancumsum", 1), _M),
    "nanmax": (_with_gaps("nanmax"), _M),
    "nanmean": (_with_gaps("nanmean", 1), _M),
    "nanmedian": (_with_gaps("nanmedian", 1), _M),
    "nanmin": (_with_gaps("nanmin"), _M),
    "nanpercentile": (_with_gaps("nanpercentile", 30.0, 1), _M),
    "nanprod": (_with_gaps("nanprod", 1), _M),
    "nanquantile": (_with_gaps("nanquantile", 0.3, 1), _M),
    "nanstd": (_with_gaps("nanstd", 1), _M),
    "nansum": (_with_gaps("nansum", 1), _M),
    "nanvar": (_with_gaps("nanvar", 1), _M),
    "percentile": (lambda x: pt.percentile(x, [30.0, 60.0], 1), _M),
    "piecewise": (lambda x: pt.piecewise(x, [x > 0], [lambda x: x * x, 1.0]), _M),
    "poly": (pt.poly, _V),
    "polyadd": (pt.polyadd, _V, _W[:2]),
    "polyder": (pt.polyder, _V),
    "polydiv": (pt.polydiv, _V, _W[:2]),
    "polyfit": (lambda x, y: pt.polyfit(x, y, 2), _V, _W),
    "polyint": (pt.polyint, _V),
    "polymul": (pt.polymul, _V, _W[:2]),
    "polysub": (pt.polysub, _V, _W[:2]),
    "polyval": (pt.polyval, _V, _M),
    "positive": (pt.positive, _M),
    "ptp": (lambda x: pt.ptp(x, 1), _M),
    "put_along_axis": (lambda x, y: pt.put_along_axis(x, pt.asarray(_ROWS[None]), y, axis=0), _M, _M[:1]),
    "quantile": (lambda x: pt.quantile(x, 0.3, 1), _M),
    "roots": (_parts(pt.roots), np.array([2.0, -3.0, 0.5])),
    "select": (lambda x: pt.select([x > 0.5, x < 0], [x * x, -x], 1.0), _M),
    "stack": (lambda x, y: pt.stack([x, y]), _V, _W),
    "std": (lambda x: pt.std(x, axis=1), _M),
    "take": (lambda x: pt.take(x, pt.asarray(_ROWS), axis=0), _M),
    "take_along_axis": (lambda x: pt.take_along_axis(x, pt.asarray(_ROWS[None]), axis=0), _M),
    "trapezoid": (pt.trapezoid, _M, np.arange(4.0)),
    "union1d": (pt.union1d, _V, _W),
    "unique_values": (pt.unique_values, _V),
    "unstack": (pt.unstack, _M),
    "unwrap": (pt.unwrap, _V * 4),
    "vander": (pt.vander, _V),
    "var": (lambda x: pt.var(x, axis=1), _M),
    "vecdot": (pt.vecdot, _M, _M + 1),
    "vecmat": (pt.vecmat, _M[:, 0], _M),
    "vstack": (lambda x, y: pt.vstack([x, y]), _V, _W),
    "where": (lambda x, y: pt.where(pt.asarray(_M > 0), x, y), _M, _M * 2),
    "bincount, by the weights": (lambda w: pt.bincount(pt.asarray([0, 2, 2, 1, 0]), w), _V),
    "histogram, by the weights": (lambda w: pt.histogram(pt.asarray(_W), 3, weights=w).counts, _V),
    "linalg.cond": (pt.linalg.cond, _S),
    "linalg.cross": (pt.linalg.cross, _S, _S + 1),
    "linalg.diagonal": (pt.linalg.diagonal, _S),
    "linalg.eigvals": (_parts(pt.linalg.eigvals), _S),
    "linalg.eigvalsh": (lambda x: pt.linalg.eigvalsh(x + x.mT), _S),
    "linalg.lstsq": (pt.linalg.lstsq, _M.T.copy(), _V[:4]),
    "linalg.matmul": (pt.linalg.matmul, _S, _M),
    "linalg.matrix_norm": (pt.linalg.matrix_norm, _M),
    "linalg.matrix_power": (lambda x: pt.linalg.matrix_power(x, -2), _S),
    "linalg.multi_dot": (lambda x, y: pt.linalg.multi_dot([x, y, x]), _S, _S + 1),
    "linalg.norm": (pt.linalg.norm, _M),
    "linalg.outer": (pt.linalg.outer, _V, _W),
    "linalg.qr": (pt.linalg.qr, _S),
    "linalg.svdvals": (pt.linalg.svdvals, _M),
    "linalg.tensordot": (lambda x, y: pt.linalg.tensordot(x, y, axes=1), _S, _M),
    "linalg.tensorinv": (lambda x: pt.linalg.tensorinv(x, ind=1), _S),
    "linalg.tensorsolve": (pt.linalg.tensorsolve, _S, _V[:3]),
    "linalg.trace": (pt.linalg.trace, _S),
    "linalg.vecdot": (pt.linalg.vecdot, _M, _M + 1),
    "linalg.vector_norm": (pt.linalg.vector_norm, _M),
    "fft.hfft": (pt.fft.hfft, _V),
    "fft.ihfft": (_parts(pt.fft.ihfft), _V),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_functions_that_autograd_does_not_differentiate_have_gradients(name: str) -> None:
    function, *operands = GRADIENTS[name]
    tensors = [pt.asarray(x, device="numpy") for x in operands]
    for x in tensors:
        with pt.GradientTape() as tape:
            tape.watch(x)
            results = function(*tensors)
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        found = tape.gradient(results, x, output_gradients=[pt.ones_like(y) for y in results])
        assert found is not None or name in ("copysign", "divmod"), "nothing is connected"
    pt.check_gradients(function, tensors, rtol=1e-5)


@pytest.mark.parametrize("namespace", ["", "linalg", "fft"])
def test_every_name_of_numpy_exists_or_leads_to_ours(namespace: str) -> None:
    theirs, ours = (getattr(module, namespace) if namespace else module for module in (np, pt))
    left_out = {name for names in _LEFT_OUT.values() for name in names.split()}
    lost = []
    for name in theirs.__all__:
        if isinstance(getattr(theirs, name), type) or not callable(getattr(theirs, name)) or name in left_out:
            continue
        try:
            getattr(ours, name)
        except UnknownNameError:
            continue
        except AttributeError:
            lost.append(name)
    assert lost == []
