"""Compiled predictions."""

import copy
import pickle
import threading

import numpy as np
import pytest
from compiled_steps import DTYPES, Doubled, batch, network, same_bits, tolerance

import pynet


class TestPredict:
    """Predictions: those of evaluation mode, and nothing moves."""

    def setup_method(self):
        self.model = pynet.Sequential(
            pynet.Linear(9, 50, seed=0),
            pynet.BatchNorm(50),
            pynet.ReLU(),
            pynet.Dropout(0.5),
            pynet.Linear(50, 40, seed=1),
            pynet.Tanh(),
            pynet.BatchNorm(40, affine=False),
            pynet.Linear(40, 3, bias=False, seed=2),
            pynet.SoftMax(),
        )
        random = np.random.default_rng(5)
        for i in (1, 6):
            self.model[i].running_mean[...] = random.normal(size=self.model[i].running_mean.shape)
            self.model[i].running_var[...] = random.uniform(0.5, 2, self.model[i].running_var.shape)

    def expected(self, x):
        return copy.deepcopy(self.model).eval().forward(x)

    @pytest.mark.parametrize("freeze", [False, True])
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("rows", [1, 2, 31, 130, 700])
    def test_they_are_those_of_evaluation_mode(self, rows, dtype, freeze):
        self.model.astype(dtype)
        before = self.model.state_dict()
        predict = pynet.compile_predict(self.model, freeze=freeze)
        assert predict.compiled
        assert predict.frozen == freeze
        x = batch(rows, 9, 3, dtype)[0]
        for _ in range(2):
            np.testing.assert_allclose(predict(x), self.expected(x), **tolerance(dtype))
        assert predict(x).dtype == dtype
        assert same_bits(before, self.model.state_dict())
        assert self.model.training
        assert self.model[0].output is None

    @pytest.mark.parametrize("dims", [(5, 3), (784, 256, 10), (300, 2100, 300, 7)])
    @pytest.mark.parametrize("rows", [1, 5, 64, 200])
    @pytest.mark.parametrize("freeze", [False, True])
    def test_of_all_sizes(self, dims, rows, freeze):
        model = network(*dims, dtype=np.float32)
        x = batch(rows, dims[0], 3, np.float32)[0]
        np.testing.assert_allclose(
            pynet.compile_predict(model, freeze=freeze)(x), model.forward(x), rtol=2e-4, atol=2e-5
        )

    def test_later_changes_count_unless_frozen(self):
        x = batch(20, 9, 3)[0]
        live, frozen = pynet.compile_predict(self.model), pynet.compile_predict(self.model, freeze=True)
        first = live(x)
        np.testing.assert_allclose(frozen(x), first, rtol=1e-9)
        self.model[0].W *= 2
        self.model[1].running_mean += 1
        self.model.layers[5] = pynet.Sigmoid()
        np.testing.assert_allclose(live(x), self.expected(x), rtol=1e-9)
        assert not np.allclose(live(x), first)
        np.testing.assert_allclose(frozen(x), first, rtol=1e-9)

    def test_many_threads_get_their_own_answers(self):
        predict = pynet.compile_predict(network(9, 500, 500, 4, dtype=np.float32))
        inputs = [batch(300, 9, 3, np.float32, seed)[0] for seed in range(8)]
        expected = [predict(x) for x in inputs]
        wrong = []

        def work(i):
            for _ in range(20):
                if not np.array_equal(predict(inputs[i]), expected[i]):
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_what_was_computed_in_training_is_not_taken_for_a_prediction(self):
        model = pynet.Sequential(pynet.Linear(9, 50, seed=0), Doubled(), pynet.Dropout(0.5, seed=1))
        x = batch(20, 9, 3)[0]
        model.forward(x)
        np.testing.assert_allclose(pynet.compile_predict(model)(x), copy.deepcopy(model).eval().forward(x))
        assert model.training

    def test_wrong_inputs_raise_what_the_modules_would(self):
        predict = pynet.compile_predict(self.model)
        with pytest.raises(pynet.ShapeError, match=r"Linear\(9, 50\): input has 8 features, expected 9"):
            predict(np.zeros((4, 8)))
        with pytest.raises(TypeError, match="real numbers"):
            predict(np.zeros((4, 9), complex))
        assert predict(np.zeros((0, 9))).shape == (0, 3)
        assert np.array_equal(predict(np.ones((2, 9), int)), predict(np.ones((2, 9)).tolist()))

    def test_copies_and_pickles_predict_the_same(self):
        x = batch(20, 9, 3)[0]
        for freeze in (False, True):
            predict = pynet.compile_predict(self.model, freeze=freeze)
            expected = predict(x)
            for twin in (copy.deepcopy(predict), pickle.loads(pickle.dumps(predict))):
                assert np.array_equal(twin(x), expected)
                assert twin.frozen == freeze


class Flagged:
    """A user's layer with a mode of its own, under a name of its own."""

    def __init__(self, name):
        self.name = name
        setattr(self, name, True)

    def train(self):
        setattr(self, self.name, True)

    def eval(self):
        setattr(self, self.name, False)

    def forward(self, input):
        return input * (2.0 if getattr(self, self.name) else 1.0)

    def backward(self, input, grad_output):
        return grad_output


@pytest.mark.parametrize("name", ["training", "_train", "flag"])
@pytest.mark.parametrize("own_mode", [True, False])
@pytest.mark.parametrize("others_mode", [True, False])
@pytest.mark.parametrize("predictor", ["compiled", "frozen", "trainer"])
def test_a_users_mode_is_off_in_a_prediction_and_as_before_after_it(name, own_mode, others_mode, predictor):
    own = Flagged(name)
    model = pynet.Sequential(pynet.Linear(9, 4), own, pynet.Dropout(0.5)).train(others_mode)
    own.train() if own_mode else own.eval()
    x = batch(5, 9, 3)[0]
    predict = {
        "compiled": pynet.compile_predict(model),
        "frozen": pynet.compile_predict(model, freeze=True),
        "trainer": pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model)).predict,
    }[predictor]
    assert np.array_equal(predict(x), model[0](x))
    assert getattr(own, name) == own_mode
    assert model[0].training == model[2].training == others_mode


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("freeze", [False, True])
def test_predictions_keep_subnormal_numbers(freeze, dtype):
    tiny = np.finfo(dtype).smallest_subnormal * 5
    layer = pynet.Linear(20, 20, dtype=dtype)
    layer.W[...], layer.b[...] = np.eye(20), 0
    model = pynet.Sequential(layer, pynet.ReLU(), pynet.Linear(20, 20, dtype=dtype))
    model[2].W[...], model[2].b[...] = np.eye(20), 0
    for rows in (1, 7, 200):
        x = np.full((rows, 20), tiny, dtype)
        assert np.array_equal(pynet.compile_predict(model, freeze=freeze)(x), x)
    scores = np.array([[0, 100, 0], [0, -101, 3]], dtype)  # whose SoftMax is subnormal in float32
    model = pynet.Sequential(pynet.Linear(3, 3, dtype=dtype), pynet.SoftMax())
    model[0].W[...], model[0].b[...] = np.eye(3), 0
    np.testing.assert_array_equal(pynet.compile_predict(model, freeze=freeze)(scores), model(scores))


@pytest.mark.parametrize(
    ("weight", "scale", "variance", "x"),
    [(1e37, 1.0, 0.0, 1e-10), (1e-30, 1e-20, 1.0, 1e38), (1e-3, 0.0, 1.0, 1.0), (0.0, 1e30, 0.0, 1.0)],
)
def test_a_batch_norm_is_folded_where_weights_keep_their_digits(weight, scale, variance, x):
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3), pynet.ReLU()).astype(np.float32).eval()
    model[0].W[...], model[0].b[...] = weight, 0
    model[1].weight[...], model[1].running_var[...] = scale, variance
    data = np.full((5, 4), x, np.float32)
    expected = model(data)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(pynet.compile_predict(model, freeze=True)(data), expected, rtol=1e-5)


class Holder(pynet.Module):
    """A user's container that switches what it holds by itself."""

    def __init__(self, *held):
        super().__init__()
        self.held = list(held)

    def train(self, mode=True):
        self.training = mode
        for layer in self.held:
            layer.train(mode)
        return self

    def eval(self):
        return self.train(False)

    def forward(self, input):
        for layer in self.held:
            input = layer.forward(input)
        return input

    def backward(self, input, grad_output):
        raise AssertionError


@pytest.mark.parametrize("off", [[0], [1], [0, 1], []])
def test_what_a_users_container_holds_keeps_modes_of_its_own(off):
    holder = Holder(pynet.BatchNorm(9), pynet.Dropout(0.5)).train()
    for position in off:
        holder.held[position].eval()
    model = pynet.Sequential(holder, pynet.Linear(9, 2))
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model))
    trainer.predict(batch(5, 9, 3)[0])
    assert [layer.training for layer in holder.held] == [position not in off for position in range(2)]
    assert holder.training


def test_an_eval_that_fails_is_no_obstacle_to_later_predictions():
    own = Flagged("flag")
    model, x = pynet.Sequential(pynet.Linear(9, 4), own), batch(5, 9, 3)[0]
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model))

    def fails():
        raise RuntimeError("no")

    own.eval = fails
    with pytest.raises(RuntimeError, match="no"):
        trainer.predict(x)
    del own.eval
    assert own.flag
    assert np.array_equal(trainer.predict(x), model[0](x))
    assert own.flag
