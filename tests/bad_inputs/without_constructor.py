"""A program: calls methods of objects whose constructor has not run, has failed, or runs again."""

import inspect

import numpy as np
from public_calls import public_callables

import pynet
from pynet import _core
from pynet.compiled import CompiledPredict, CompiledStep
from pynet.compiled.plan import Plan

classes = {value for value in public_callables().values() if inspect.isclass(value)}
classes |= {value for value in vars(pynet).values() if inspect.isclass(value)}
classes |= {value for value in vars(_core).values() if inspect.isclass(value)} | {CompiledStep, CompiledPredict, Plan}
classes -= {cls for cls in classes if issubclass(cls, BaseException)}

x, y = np.ones((3, 2)), np.zeros(3, int)
ARGUMENTS = [(), (x,), (x, x), (x, y), (None,), (None, None), (x, x, None, None), (1.0,) * 5]


class Forgetful(CompiledStep):
    def __init__(self):
        pass


class ForgetfulPrediction(CompiledPredict):
    def __init__(self):
        pass


class ForgetfulLayer(pynet.Linear):
    def __init__(self):
        pass


classes |= {Forgetful, ForgetfulPrediction, ForgetfulLayer}
made = raised = 0
for cls in sorted(classes, key=lambda cls: (cls.__module__, cls.__name__)):
    made += 1
    for name in [name for name in dir(cls) if name not in dir(object) or name in ("__repr__", "__reduce__")]:
        for arguments in ARGUMENTS:
            try:
                bare = cls() if cls.__name__.startswith("Forgetful") else cls.__new__(cls)
                attribute = getattr(bare, name)
                if callable(attribute) and not inspect.isclass(attribute):
                    attribute(*arguments)
            except Exception:
                raised += 1

# A second __init__ of compiled objects changes nothing that lies in C++.
model = pynet.Sequential(pynet.Linear(2, 2, seed=0))
other = pynet.Sequential(pynet.Linear(2, 2, seed=1), pynet.Tanh())
criterion = pynet.MSE()
step = pynet.compile_step(model, criterion, pynet.optim.SGD(model, 0.1))
predict = pynet.compile_predict(model)
for _ in range(3):
    step(x, x)
    predict(x)
    step.__init__(other, criterion, pynet.optim.SGD(other, 0.1))
    predict.__init__(other)
    other.forward(x)
    assert np.isfinite(step(x, x))
    assert predict(x).shape == (3, 2)
plan = Plan(model, modes=True)
for _ in range(3):
    plan.__init__(other, modes=False, columns=2)
    plan.describe()
print(made, raised)
