"""The floating-point mode of the calling thread, read from and written to its control registers (x86-64, glibc)."""

import ctypes

ENVIRONMENT_BYTES, MXCSR = 32, 28  # fenv_t: the x87 environment, then the SSE register
FLAGS = 0x3F  # of exceptions that have happened: computing sets them
FLUSH, TOWARDS_ZERO = 0x8040, 0x6000


def environment():
    buffer = ctypes.create_string_buffer(ENVIRONMENT_BYTES)
    assert ctypes.CDLL("libm.so.6").fegetenv(buffer) == 0
    return buffer


def mode():
    """The control bits of SSE and of the x87."""
    raw = environment().raw
    return int.from_bytes(raw[MXCSR:], "little") & ~FLAGS, int.from_bytes(raw[:2], "little")


def set_mode(mxcsr):
    buffer = environment()
    ctypes.memmove(ctypes.addressof(buffer) + MXCSR, mxcsr.to_bytes(4, "little"), 4)
    assert ctypes.CDLL("libm.so.6").fesetenv(buffer) == 0
