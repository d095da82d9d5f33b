"""A program: does everything with modules nested so many levels deep; prints what has ended in a RecursionError."""

import copy
import pickle
import sys

import numpy as np

import pynet


def nest(levels):
    """Sequentials in one another, which `append` itself would refuse to look through."""
    model = pynet.Linear(2, 2, seed=0)
    for _ in range(levels):
        outer = pynet.Sequential()
        outer.layers.append(model)
        model = outer
    return model


x, y = np.ones((3, 2)), np.zeros(3, int)
criterion = pynet.CrossEntropyLoss()
ACTIONS = {
    "forward": lambda m: m.forward(x),
    "backward": lambda m: m.backward(x, x),
    "repr": repr,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": pickle.dumps,
    "parameters": lambda m: m.parameters(),
    "state_dict": lambda m: m.state_dict(),
    "load_state_dict": lambda m: m.load_state_dict({}, strict=False),
    "train": lambda m: m.train(),
    "eval": lambda m: m.eval(),
    "astype": lambda m: m.astype(np.float32),
    "zero_grad": lambda m: m.zero_grad(),
    "config": lambda m: m.config(),
    "append": lambda m: pynet.Sequential(m),
    "optimizer": lambda m: pynet.optim.SGD(m, 0.1).step(),
    "step": lambda m: pynet.compile_step(m, criterion, pynet.optim.SGD(m, 0.1))(x, y),
    "predict": lambda m: pynet.compile_predict(m)(x),
    "freeze": lambda m: pynet.compile_predict(m, freeze=True)(x),
    "save": lambda m: pynet.save(m, sys.argv[2]),
    "fit": lambda m: pynet.Trainer(m, criterion, pynet.optim.SGD(m, 0.1)).fit(x, y, 1),
    "summary": lambda m: pynet.summary(m, 2),
    "trace_nan": lambda m: pynet.trace_nan(m, x),
    "gradcheck": lambda m: pynet.testing.gradcheck(m, x),
    "clip": lambda m: pynet.optim.clip_grad_norm_(m, 1.0),
    "average": lambda m: pynet.optim.EMA(m).update(),
}

levels = int(sys.argv[1])
model, too_deep = nest(levels), []
for name, action in ACTIONS.items():
    try:
        action(model)
    except RecursionError:
        too_deep.append(name)
del model  # a chain of destructors
deep_list = 1.0
for _ in range(levels):
    deep_list = [deep_list]
try:
    pynet.ReLU().forward(deep_list)
except TypeError:
    too_deep.append("a list")
del deep_list
print(*too_deep)
