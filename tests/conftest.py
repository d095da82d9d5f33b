"""Every test starts from the same random numbers and settings, and leaves them as they were."""

import signal

import numpy as np
import pytest

import pynet

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would their children.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def same_start():
    threads, dtype = pynet.get_num_threads(), pynet.get_default_dtype()
    np.random.seed(0)
    yield
    pynet.set_num_threads(threads)
    pynet.set_default_dtype(dtype)
