"""Online learning: digits come one by one, each is told first and learned from then; halfway they change their names.

`Digits` has the methods that libraries of online learners such as river ask for: learn_one and predict_one, with
features in a dict.
"""

import time

import numpy as np

import pynet


class Digits:
    """Tells digits apart from dicts of pixels."""

    def __init__(self, features, classes):
        self.features = features
        model = pynet.Sequential(pynet.Linear(len(features), 64), pynet.ReLU(), pynet.Linear(64, classes))
        optimizer = pynet.optim.SGD(model, lr=0.05, momentum=0.5)
        self.learner = pynet.OnlineLearner(model, pynet.CrossEntropyLoss(), optimizer)

    def _array(self, x):
        return np.array([x[name] for name in self.features])

    def predict_one(self, x):
        return int(self.learner.predict_one(self._array(x)).argmax())

    def learn_one(self, x, y):
        self.learner.learn_one(self._array(x), y)


np.random.seed(0)
X, y = pynet.data.load_digits()
order = np.concatenate([np.random.permutation(len(X)) for _ in range(4)])
names = [f"pixel {i}" for i in range(64)]
samples = [dict(zip(names, row, strict=True)) for row in (X[order] / 16).tolist()]
stream = list(zip(samples, y[order].tolist(), strict=True))
half = len(stream) // 2
stream[half:] = [(x, 9 - label) for x, label in stream[half:]]

model, right = Digits(names, 10), []
start = time.perf_counter()
for x, label in stream:
    right.append(model.predict_one(x) == label)
    model.learn_one(x, label)
seconds = time.perf_counter() - start

for title, part in (
    ("the first 100", slice(0, 100)),
    ("the last 1000 before the change", slice(half - 1000, half)),
    ("the first 100 after it", slice(half, half + 100)),
    ("the last 1000", slice(-1000, None)),
):
    print(f"right of {title}: {np.mean(right[part]):.3f}")
print(f"{seconds / len(stream) * 1e6:.0f} microseconds for a digit, told and learned")
