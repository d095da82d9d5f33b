"""Importing pynet again, and in a second interpreter of the same process: it works, or says that it cannot."""

import pytest
from child import output_of

USE = """
def use(pynet):
    import numpy as np
    model = pynet.Sequential(pynet.Linear(3, 2, seed=0), pynet.Dropout(0.5, seed=1))
    step = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.SGD(model, 0.1))
    return step(np.ones((4, 3)), np.zeros((4, 2)))
"""


@pytest.mark.parametrize("forgotten", ["pynet", "pynet.", "pynet._core"])
def test_pynet_can_be_imported_again(forgotten):
    code = f"""{USE}
import gc, sys
import pynet
first = use(pynet)
for name in [name for name in sys.modules if name == {forgotten!r} or name.startswith({forgotten!r})]:
    del sys.modules[name]
try:
    import pynet as again
    print(use(again) == first)
except ImportError as error:
    print(type(error).__name__, error)
del again
gc.collect()
print(use(pynet) == first)
"""
    assert output_of(code) == "True\nTrue"


def test_a_second_interpreter_raises_import_error():
    code = f"""{USE}
import pynet
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
first = use(pynet)
second = interpreters.create()
script = "try:\\n import pynet\\nexcept ImportError as error:\\n print('ImportError')\\nelse:\\n print('imported')"
print(interpreters.run_string(second, script) or "", end="", flush=True)
interpreters.destroy(second)
print(use(pynet) == first)
"""
    assert output_of(code) == "ImportError\nTrue"
