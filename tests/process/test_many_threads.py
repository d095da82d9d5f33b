"""Many threads at once: one model for all of them, hundreds of them, small stacks, and threads that outlive Python."""

import copy
import sys
import threading
import time

import numpy as np
import pytest
from child import output_of

import pynet

THREADS = 32


def in_threads(count, work):
    """The results of work(i) for i < count, all at the same time; an error in one is raised here."""
    results, start = [None] * count, threading.Barrier(count)

    def run(number):
        start.wait()
        try:
            results[number] = work(number)
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def network(dtype):
    np.random.seed(0)
    layers = [pynet.Linear(20, 40), pynet.BatchNorm(40), pynet.ReLU(), pynet.Dropout(), pynet.LogSoftMax()]
    inner = pynet.Sequential(pynet.Linear(40, 40), pynet.Tanh(), pynet.Sigmoid(), pynet.LeakyReLU())
    return pynet.Sequential(*layers, inner, pynet.Linear(40, 7), pynet.SoftMax()).eval().astype(dtype)


def inputs(number, dtype):
    """Small ones, and such that the pool is asked for."""
    rows = 3 + number if number % 4 else 2000 + number
    return np.random.default_rng(number).normal(size=(rows, 20)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("way", ["modules", "compiled", "frozen"])
def test_one_model_answers_thirty_two_threads_with_the_bits_of_one(way, dtype):
    pynet.set_num_threads(3)
    model = network(dtype)
    ways = {"modules": lambda: model, "compiled": lambda: pynet.compile_predict(model)}
    predict = ways.get(way, lambda: pynet.compile_predict(model, freeze=True))()
    data = [inputs(number, dtype) for number in range(THREADS)]
    expected = [np.array(predict(x)) for x in data]
    before = [array.tobytes() for array in model.state_dict().values()]

    def work(number):
        return all(np.array_equal(predict(data[number]), expected[number]) for _ in range(5))

    assert in_threads(THREADS, work) == [True] * THREADS
    assert [array.tobytes() for array in model.state_dict().values()] == before


def test_three_hundred_threads_each_train_a_model_of_their_own():
    x, y = np.random.default_rng(0).normal(size=(16, 20)), np.arange(16) % 7

    def work(_=0):
        model = pynet.Sequential(pynet.Linear(20, 30, seed=1), pynet.ReLU(), pynet.Linear(30, 7, seed=2))
        step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1))
        return [step(x, y) for _ in range(3)], model.forward(x).tobytes()

    expected = work()
    assert in_threads(300, work) == [expected] * 300


def test_a_thread_with_a_small_stack_computes_everything():
    code = """
        import threading
        import numpy as np, pynet
        threading.stack_size(128 * 1024)
        done = []
        def work():
            x, y = np.random.default_rng(0).normal(size=(600, 300)), np.arange(600) % 10
            layers = [pynet.Linear(300, 400), pynet.BatchNorm(400), pynet.Dropout(), pynet.Linear(400, 10)]
            model = pynet.Sequential(*layers, pynet.LogSoftMax(), pynet.SoftMax())
            criterion, optimizer = pynet.CrossEntropyLoss(), pynet.optim.Adam(model)
            for size in (1, 30, 600):
                output = model.eval().forward(x[:size])
                model.backward(x[:size], criterion.backward(output, y[:size]))
                optimizer.step()
            model.train()
            step = pynet.compile_step(model, criterion, optimizer)
            step.epoch(x, y, np.arange(600), 100)
            pynet.compile_predict(model)(x)
            done.append(True)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print(done)
    """
    assert output_of(code, PYNET_NUM_THREADS="3") == "[True]"


@pytest.mark.parametrize("way", ["modules", "compiled", "epoch"])
def test_python_may_end_while_daemon_threads_compute(way):
    code = """
        import sys, threading, time
        import numpy as np, pynet
        model = pynet.Sequential(pynet.Linear(200, 300), pynet.ReLU(), pynet.Linear(300, 5))
        step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model))
        predict = pynet.compile_predict(model)
        x, y, order = np.ones((2000, 200)), np.zeros(2000, int), np.arange(2000)
        calls = {"modules": lambda: model.forward(x), "compiled": lambda: predict(x),
                 "epoch": lambda: step.epoch(x, y, order, 100)}
        call = calls[sys.argv[1]]
        started = threading.Event()
        def work():
            while True:
                call()
                started.set()
        for _ in range(1 if sys.argv[1] == "epoch" else 4):
            threading.Thread(target=work, daemon=True).start()
        started.wait()
        print("ends")
    """
    for _ in range(3):
        assert output_of(code, way, PYNET_NUM_THREADS="3") == "ends"


class Slow:
    """A user's layer, in which other threads come in between."""

    def forward(self, input):
        time.sleep(0)
        self.output = input * 2.0
        return self.output

    def backward(self, input, grad_output):
        return grad_output * 2.0


def test_predictions_module_by_module_of_a_model_in_training():
    blocks = [pynet.Sequential(pynet.Linear(4, 4, seed=i), pynet.BatchNorm(4), pynet.Dropout(0.5)) for i in range(12)]
    model = pynet.Sequential(*blocks, Slow())
    x = np.random.default_rng(0).normal(size=(8, 4))
    model.forward(x)
    predict = pynet.compile_predict(model)
    assert not predict.compiled
    expected, state = copy.deepcopy(model).eval().forward(x), model.state_dict()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        answers = in_threads(8, lambda number: [predict(x) for _ in range(8)])
    finally:
        sys.setswitchinterval(interval)
    assert all(np.array_equal(answer, expected) for own in answers for answer in own)
    assert all(layer.training for block in model[:-1] for layer in block)
    assert all(np.array_equal(array, state[name]) for name, array in model.state_dict().items())


class Flagged(Slow):
    """A user's layer with a mode of its own, under a name of its own."""

    def __init__(self):
        self.on = True

    def train(self):
        self.on = True

    def eval(self):
        self.on = False

    def forward(self, input):
        time.sleep(0)
        self.output = input * (3.0 if self.on else 2.0)
        return self.output


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("own", [[], [Slow], [Flagged]])
@pytest.mark.parametrize("what", ["predict", "evaluate"])
def test_a_trainer_answers_many_threads_whatever_the_mode(what, own, training):
    layers = [pynet.Linear(10, 20, seed=0), pynet.BatchNorm(20), pynet.Dropout(0.5)]
    model = pynet.Sequential(*layers, *(make() for make in own), pynet.Linear(20, 3, seed=1)).train(training)
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model, 0.1))
    x = np.random.default_rng(0).normal(size=(900, 10))
    asked = {"predict": lambda: trainer.predict(x, 64), "evaluate": lambda: trainer.evaluate(x, x[:, :3], 64)["loss"]}
    expected, state = asked[what](), model.state_dict()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        answers = in_threads(4, lambda number: [asked[what]() for _ in range(4)])
    finally:
        sys.setswitchinterval(interval)
    assert all(np.array_equal(answer, expected) for each in answers for answer in each)
    assert all(np.array_equal(array, state[name]) for name, array in model.state_dict().items())
    flags = [getattr(layer, "training", getattr(layer, "on", training)) for layer in model]
    assert flags == [training] * len(flags)


def test_others_forward_while_a_trainer_predicts():
    model = pynet.Sequential(pynet.Linear(10, 20, seed=0), pynet.Dropout(0.5), Flagged(), pynet.Linear(20, 3)).eval()
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model, 0.1))
    x = np.random.default_rng(0).normal(size=(30, 10))
    expected = model.forward(x)

    def work(number):
        return [np.array(trainer.predict(x) if number else model.forward(x)) for _ in range(300)]

    answers = in_threads(2, work)
    assert all(np.array_equal(answer, expected) for each in answers for answer in each)


def test_others_draw_while_a_users_layer_is_asked_for_a_prediction():
    class Sleeping(Slow):
        def forward(self, input):
            time.sleep(0.0005)
            return input

    predict = pynet.compile_predict(pynet.Sequential(pynet.Linear(10, 5), Sleeping()))
    over = threading.Event()

    def ask():
        while not over.is_set():
            predict(np.ones((2, 10)))

    def draw():
        np.random.seed(0)
        return [pynet.Dropout(0.5).forward(np.ones((1, 64))).tobytes() for _ in range(1000)]

    expected, thread = draw(), threading.Thread(target=ask)
    thread.start()
    try:
        assert draw() == expected
    finally:
        over.set()
        thread.join()
