"""OpenBLAS's own matrix product, called through ctypes: `openblas.py <threads>`."""

import ctypes
import ctypes.util
import sys

from serve import Prepared, Unsupported, serve

ROW_MAJOR, NO_TRANSPOSE = 101, 111


def library():
    for name in ["libopenblas.so.0", ctypes.util.find_library("openblas")]:
        try:
            if name:
                return ctypes.CDLL(name)
        except OSError:
            pass
    raise SystemExit("libopenblas was not found. On Debian: apt-get install libopenblas0-pthread")


blas = library()
blas.openblas_get_config.restype = ctypes.c_char_p
blas.openblas_get_corename.restype = ctypes.c_char_p
blas.openblas_set_num_threads(int(sys.argv[1]))


def prepare(task, inputs):
    if task["kind"] != "sgemm":
        raise Unsupported("only matrix products")
    m, n, k = task["m"], task["n"], task["k"]
    (_, _, a), (_, _, b) = inputs
    c = (ctypes.c_float * (m * n))()
    pointers = [(ctypes.c_float * len(values)).from_buffer(values) for values in (a, b)]
    one, zero = ctypes.c_float(1), ctypes.c_float(0)

    def run():
        blas.cblas_sgemm(
            ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, one, pointers[0], k, pointers[1], n, zero, c, n
        )

    return Prepared(run, lambda: [bytes(c)])


about = {"version": blas.openblas_get_config().decode(), "instructions": blas.openblas_get_corename().decode()}
serve(about, prepare)
