"""Garbage that Python collects while an object of ours is being made."""

import pytest
from child import output_of

# pybind11 looks at a class of Python's when it first makes an object of it, and garbage may be collected meanwhile.
MAKERS = """
import gc, sys
import numpy as np
import pynet

def step(cls, model):
    return cls(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1))

bases = {
    "step": (pynet.compiled.CompiledStep, step),
    "predict": (pynet.compiled.CompiledPredict, lambda cls, model: cls(model)),
    "plan": (pynet.compiled.plan.Plan, lambda cls, model: cls(model, True)),
}
base, make = bases[sys.argv[1]]
model = pynet.Sequential(pynet.Linear(3, 2), pynet.ReLU(), pynet.Linear(2, 2))
if sys.argv[2] == "first":
    gc.set_threshold(1)
    made = make(base, model)
for threshold in range(1, 60):
    gc.set_threshold(threshold)
    made = make(type("Own", (base,), {}), model)
gc.collect()
print("made")
"""


@pytest.mark.parametrize("when", ["first", "later"])
@pytest.mark.parametrize("kind", ["step", "predict", "plan"])
def test_garbage_may_be_collected_while_an_object_is_made(kind, when):
    assert output_of(MAKERS, kind, when) == "made"
