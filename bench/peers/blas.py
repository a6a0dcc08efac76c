"""Matrix products of one library, through its own C interface.

    python blas.py numpy | torch | onednn | FILE.so        FILE.so: a library with cblas_sgemm, or dnnl_sgemm

numpy: the OpenBLAS that its wheel brings; torch: torch.mm, that is MKL; onednn: the oneDNN inside torch.
"""
import ctypes
import sys

import numpy as np

from protocol import serve, timed


def operands(form, m, n, k):
    rng = np.random.default_rng(1)
    a = rng.random((k, m) if form == "tn" else (m, k), np.float32)
    b = rng.random((n, k) if form == "nt" else (k, n), np.float32)
    return a, b, np.zeros((m, n), np.float32)


def with_cblas(path):
    library = ctypes.CDLL(path)
    name = next(n for n in ("cblas_sgemm", "scipy_cblas_sgemm64_") if hasattr(library, n))
    gemm, size = getattr(library, name), ctypes.c_int64 if name.endswith("64_") else ctypes.c_int
    pointer, real = ctypes.c_void_p, ctypes.c_float
    gemm.argtypes = [ctypes.c_int] * 3 + [size] * 3 + [real, pointer, size, pointer, size, real, pointer, size]
    gemm.restype = None

    def product(form, a, b, c):
        m, n = c.shape
        k = a.shape[0] if form == "tn" else a.shape[1]
        ta, tb = 112 if form == "tn" else 111, 112 if form == "nt" else 111
        gemm(101, ta, tb, m, n, k, 1.0, a.ctypes.data, a.shape[1], b.ctypes.data, b.shape[1], 0.0, c.ctypes.data, n)
    return product, library


def with_dnnl(path):
    library = ctypes.CDLL(path)
    gemm, size = library.dnnl_sgemm, ctypes.c_int64
    pointer, real, letter = ctypes.c_void_p, ctypes.c_float, ctypes.c_char
    gemm.argtypes = [letter] * 2 + [size] * 3 + [real, pointer, size, pointer, size, real, pointer, size]

    def product(form, a, b, c):
        m, n = c.shape
        k = a.shape[0] if form == "tn" else a.shape[1]
        ta, tb = b"T" if form == "tn" else b"N", b"T" if form == "nt" else b"N"
        gemm(ta, tb, m, n, k, 1.0, a.ctypes.data, a.shape[1], b.ctypes.data, b.shape[1], 0.0, c.ctypes.data, n)
    return product, library


def with_torch(onednn):
    import torch

    def product(form, a, b, c):
        left = torch.from_numpy(a).T if form == "tn" else torch.from_numpy(a)
        right = torch.from_numpy(b).T if form == "nt" else torch.from_numpy(b)
        if onednn:  # a linear layer's product; its weight is [n][k], here a view
            torch.ops.mkldnn._linear_pointwise(left, right.T, None, "none", [], "")
        else:
            torch.mm(left, right, out=torch.from_numpy(c))
    return product, torch


def choose(what):
    if what == "numpy":
        import glob
        import os
        folder = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs")
        return with_cblas(glob.glob(os.path.join(folder, "libscipy_openblas64_*.so*"))[0])
    if what in ("torch", "onednn"):
        return with_torch(what == "onednn")
    return with_dnnl(what) if "dnnl" in what else with_cblas(what)


def main():
    product, keep = choose(sys.argv[1])
    held = {}

    def set_threads(count):
        if sys.argv[1] in ("torch", "onednn"):
            keep.set_num_threads(count)
            return
        import threadpoolctl
        threadpoolctl.threadpool_limits(count)
        if hasattr(keep, "bli_thread_set_num_threads"):
            keep.bli_thread_set_num_threads(ctypes.c_int64(count))

    def matmul(form, m, n, k, threads):
        key = (form, int(m), int(n), int(k))
        if key not in held:
            held.clear()
            held[key] = operands(form, *key[1:])
        if held.get("threads") != int(threads):
            set_threads(int(threads))
            held["threads"] = int(threads)
        a, b, c = held[key]
        return timed(lambda: product(form, a, b, c))

    serve({"matmul": matmul})


main()
