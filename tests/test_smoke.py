"""If only one file is run, it is this one: a network learns, and says what it runs on."""

import numpy as np

import pynet


def test_a_network_learns_digits_as_in_the_notebook():
    X, y = pynet.data.load_digits()
    X_train, X_test, y_train, y_test = pynet.data.train_test_split(X / 16, y, stratify=y)
    model = pynet.Sequential(pynet.Linear(64, 64), pynet.LeakyReLU(), pynet.Linear(64, 10), pynet.SoftMax())
    criterion, optimizer = pynet.CrossEntropy(), pynet.optim.SGD(model, 0.1, momentum=0.9)
    for _ in range(10):
        for x, t in pynet.data.DataLoader(X_train, pynet.data.one_hot(y_train), 32, shuffle=True):
            p = model.forward(x)
            criterion.forward(p, t)
            model.backward(x, criterion.backward(p, t))
            optimizer.step()
    accuracy = np.mean(model.eval().forward(X_test).argmax(axis=1) == y_test)
    assert accuracy >= 0.93


def test_show_config_names_what_pynet_runs_on():
    text = pynet.show_config()
    for word in (pynet.__version__, "instruction set", "BLAS", "threads", np.__version__):
        assert word in text
