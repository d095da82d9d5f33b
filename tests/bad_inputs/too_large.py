"""A program: asks for more than BLAS can count or memory can hold; each must be refused, with nothing changed."""

import resource
from functools import partial

import numpy as np
from reachable import differences, everything

import pynet

LAST = np.zeros((2**24, 4))  # fits, but another of its size does not
with open("/proc/self/statm") as statm:
    room = int(statm.read().split()[0]) * resource.getpagesize() + (1 << 29)
resource.setrlimit(resource.RLIMIT_AS, (room, room))

MANY = 2**31 + 1
ROWS = np.broadcast_to(np.float64(0.5), (MANY, 4))
FEATURES = np.broadcast_to(np.float64(0.5), (2, MANY))
AXES = np.broadcast_to(np.float64(0.5), (2, 4, 2**20, 2**12))
ENORMOUS = np.broadcast_to(np.float64(0.5), (2**40, 2**12))
LABELS = np.broadcast_to(np.int64(0), (MANY,))
INPUTS = {"rows": ROWS, "features": FEATURES, "axes": AXES, "enormous": ENORMOUS}

LAYERS = [
    pynet.Linear(4, 3),
    pynet.BatchNorm(4),
    pynet.BatchNorm(4).eval(),
    pynet.ReLU(),
    pynet.LeakyReLU(),
    pynet.Sigmoid(),
    pynet.Tanh(),
    pynet.GELU(),
    pynet.PReLU(),
    pynet.PReLU(4),
    pynet.Activation(np.sin, np.cos),
    pynet.SoftMax(),
    pynet.LogSoftMax(),
    pynet.Dropout(),
    pynet.Dropout(seed=1),
    pynet.Flatten(),
    pynet.Identity(),
    pynet.Sequential(pynet.Linear(4, 3), pynet.ReLU()),
    pynet.Sequential(pynet.Dropout(), pynet.Linear(4, 3)),
]
CRITERIA = [
    pynet.MSE(),
    pynet.MSELoss(),
    pynet.CrossEntropy(),
    pynet.CrossEntropyLoss(),
    pynet.CrossEntropyLoss([1, 2, 3, 4]),
    pynet.HuberLoss(),
    pynet.BCELoss(),
    pynet.BCEWithLogitsLoss(pos_weight=[1, 2, 3, 4]),
    pynet.NLLLoss(),
    pynet.GaussianNLLLoss(),
    pynet.PinballLoss([0.2, 0.4, 0.6, 0.8]),
]


CACHES = ("._kept", ".output", "._plan", "._takes")


def calls():
    for layer in LAYERS:
        layer.forward(np.ones((2, 4)))
        for name, x in INPUTS.items():
            yield f"{layer!r} forward {name}", layer, partial(layer.forward, x)
            yield f"{layer!r} backward {name}", layer, partial(layer.backward, x, x)
            yield f"{layer!r} grad_output {name}", layer, partial(layer.backward, np.ones((2, 4)), x)
    for layer in (pynet.Dropout(), pynet.Dropout(seed=1), pynet.BatchNorm(4), pynet.ReLU(), pynet.SoftMax()):
        yield f"{layer!r} forward without memory", layer, partial(layer.forward, LAST)
    for criterion in CRITERIA:
        for name, x in INPUTS.items():
            for method in (criterion.forward, criterion.backward, criterion.row_losses):
                yield f"{criterion!r} {name}", criterion, partial(method, x, x)
                yield f"{criterion!r} {name} and labels", criterion, partial(method, x, LABELS)
                yield f"{criterion!r} target {name}", criterion, partial(method, np.ones((2, 4)), x)
    model = pynet.Sequential(pynet.Linear(4, 3, seed=0), pynet.Dropout(), pynet.Linear(3, 4, seed=1))
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1, momentum=0.9))
    step(np.ones((2, 4)), np.zeros(2, int))
    predict = pynet.compile_predict(model)
    trainer = pynet.Trainer(model, step.criterion, step.optimizer)
    for name, x in INPUTS.items():
        yield f"step {name}", step, partial(step, x, LABELS)
        yield f"epoch {name}", step, partial(step.epoch, x, LABELS, [0])
        yield f"predict {name}", predict, partial(predict, x)
        yield f"fit {name}", trainer, partial(trainer.fit, x, LABELS, 1)
        yield f"evaluate {name}", trainer, partial(trainer.evaluate, x, LABELS)
        yield f"trace_nan {name}", model, partial(pynet.trace_nan, model, x)
        yield f"accuracy {name}", None, partial(pynet.metrics.accuracy, x, LABELS)
        yield f"r2 {name}", None, partial(pynet.metrics.r2_score, x, x)
    loader = pynet.data.DataLoader(LABELS, LABELS, shuffle=True)
    yield "DataLoader", None, lambda: next(iter(loader))
    yield "split", None, partial(pynet.data.train_test_split, LABELS)
    yield "one_hot", None, partial(pynet.data.one_hot, [0, 1], 2**60)
    yield "one_hot of many", None, partial(pynet.data.one_hot, np.zeros(1000, int), 2**31 - 1)
    yield "one_hot of a large label", None, partial(pynet.data.one_hot, np.full(1000, 2**31 - 2))
    yield "confusion matrix", None, partial(pynet.metrics.confusion_matrix, [0], [0], 2**31 - 1)
    yield "confusion matrix of a large label", None, partial(pynet.metrics.confusion_matrix, [0], [2**31 - 2])
    for sizes in ((2**40, 2**40), (2**31 - 1, 2**31 - 1), (2**62, 1), (1, 2**62), (2**31 - 1, 4), (4, 2**31 - 1)):
        yield f"Linear{sizes}", None, partial(pynet.Linear, *sizes)
        yield f"summary{sizes}", model, partial(pynet.summary, model, sizes)
    for size in (2**62, 2**31, 2**31 - 1):
        yield f"BatchNorm({size})", None, partial(pynet.BatchNorm, size)


refused = number = 0
for name, subject, call in calls():
    number += 1
    before = everything(subject, but=CACHES)
    try:
        result = call()
    except (MemoryError, ValueError) as error:
        refused += bool(str(error)) or type(error) is MemoryError
        changed = differences(before, everything(subject, but=CACHES))
        if changed:
            print(f"{name} has changed {changed}")
    except Exception as error:
        print(f"{name}: {error!r}")
    else:
        print(f"{name} returned a {type(result).__name__}")
pynet.set_num_threads(2**31 - 1)
pynet.Linear(300, 300).forward(np.ones((300, 300)))
print(refused, number)
