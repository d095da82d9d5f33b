"""Little memory: products are computed, or there is a MemoryError; BLAS does not end the process."""

import resource

import pytest
from child import output_of

BASE = "import numpy.testing, pynet; print(open('/proc/self/statm').read().split()[0])"

PRODUCTS = """
import sys
import numpy as np
import numpy.testing
import pynet

def compute():
    random = np.random.default_rng(0)
    layer, x = pynet.Linear(120, 90, seed=0), random.normal(size=(1500, 120))
    y = layer.forward(x)
    grad = layer.backward(x, y)
    # Without a product of NumPy's, whose own BLAS ends the process.
    for row in range(0, 1500, 250):
        expected = [layer.b[k] + sum(x[row] * layer.W[k]) for k in range(90)]
        np.testing.assert_allclose(y[row], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(grad[7], [sum(y[7] * layer.W[:, i]) for i in range(120)], rtol=1e-10, atol=1e-12)

pynet.set_num_threads(int(sys.argv[1]))
try:
    compute()
except MemoryError:
    print("too little memory")
else:
    print("computed")
"""


@pytest.fixture(scope="module")
def pages():
    return int(output_of(BASE))


@pytest.mark.parametrize("more", [12, 24, 36, 48, 80, 160])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_products_where_the_address_space_is_small(pages, threads, more):
    limit = pages * resource.getpagesize() + more * 2**20

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    enough = ["computed"] if more >= 48 else ["computed", "too little memory"]
    assert output_of(PRODUCTS, threads, preexec_fn=limited) in enough
