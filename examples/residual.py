"""Deep networks train if every block only adds to its input: 32 layers with and without these short ways."""

import numpy as np

import pynet

WIDTH, BLOCKS = 64, 16


def block():
    """What a block computes."""
    return [pynet.LayerNorm(WIDTH), pynet.Linear(WIDTH, WIDTH), pynet.Tanh(), pynet.Linear(WIDTH, WIDTH)]


def network(is_residual):
    """The same blocks, one after another or each added to its input."""
    joined = pynet.Residual if is_residual else pynet.Sequential
    blocks = [joined(*block()) for _ in range(BLOCKS)]
    return pynet.Sequential(pynet.Linear(64, WIDTH), *blocks, pynet.Linear(WIDTH, 10))


X, y = pynet.data.load_digits()
X_train, X_test, y_train, y_test = pynet.data.train_test_split(X / 16, y, test_size=0.2, seed=0)
for title, is_residual in (("plain", False), ("residual", True)):
    np.random.seed(0)
    model = network(is_residual)
    optimizer = pynet.optim.Adam(model, lr=1e-3)
    trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), optimizer, metrics=["accuracy"])
    trainer.fit(X_train, y_train, epochs=10, batch_size=32)
    print(f"{title}: test accuracy {trainer.evaluate(X_test, y_test)['accuracy']:.3f}")
