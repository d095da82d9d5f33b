"""Saving and loading: what comes back, and what is refused when it is saved."""

import os
import stat

import numpy as np
import pytest
from table import SAVEABLE, Case, name_of
from test_users_modules import Block as NoConfig

import pynet

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)


class Scale(pynet.Module):
    def __init__(self, factor, body):
        super().__init__()
        self.factor, self.body = factor, body

    def forward(self, input):
        return self.body.forward(input) * self.factor

    def backward(self, input, grad_output):
        return self.body.backward(input, np.multiply(grad_output, self.factor))


@pytest.mark.parametrize("case", SAVEABLE, ids=name_of)
@each_format
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_with_its_bits(case: Case, ending, dtype, tmp_path):
    module, x = case.module(dtype), case.input(dtype)
    path = tmp_path / f"model{ending}"
    pynet.save(module, path)
    before = np.random.get_state()[1].tobytes()
    other = pynet.load(path)
    assert np.random.get_state()[1].tobytes() == before
    assert repr(other) == repr(module)
    assert other.training == module.training
    for (name, a), (other_name, b) in zip(module.state_dict().items(), other.state_dict().items(), strict=True):
        assert name == other_name
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    np.testing.assert_array_equal(other.eval().forward(x), module.eval().forward(x))
    other.train().forward(x)


@each_format
def test_a_transposed_weight_is_saved_as_it_reads(ending, tmp_path):
    layer = pynet.Linear(4, 4)
    layer.W = np.arange(16.0).reshape(4, 4).T
    pynet.save(layer, tmp_path / f"m{ending}")
    np.testing.assert_array_equal(pynet.load(tmp_path / f"m{ending}").W, layer.W)


@each_format
def test_a_users_class_comes_back_when_it_is_admitted(ending, tmp_path):
    model = pynet.Sequential(Scale(2.5, pynet.Sequential(pynet.Linear(3, 2))), pynet.ReLU())
    path = str(tmp_path / f"m{ending}")
    pynet.save(model, path)
    with pytest.raises(pynet.CheckpointError, match=r"'Scale'.*classes=\[Scale\]"):
        pynet.load(path)
    other = pynet.load(path, classes=[Scale])
    x = np.ones((2, 3))
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    assert other[0].factor == 2.5


def test_a_users_class_of_pynets_name_does_not_pass_for_it(tmp_path):
    class ReLU(pynet.Module):
        def forward(self, input):
            return input

        def backward(self, input, grad_output):
            return grad_output

    pynet.save(pynet.Sequential(ReLU()), tmp_path / "m.npz")
    with pytest.raises(pynet.CheckpointError, match="'ReLU'"):
        pynet.load(tmp_path / "m.npz")
    assert type(pynet.load(tmp_path / "m.npz", classes=[ReLU])[0]) is ReLU


def test_what_a_file_cannot_keep_is_named(tmp_path):
    with pytest.raises(TypeError, match="no attribute 'width'"):
        pynet.save(NoConfig(3), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"Scale\.factor is a ndarray"):
        pynet.save(Scale(np.ones(2), pynet.ReLU()), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"an Activation's functions are code, which a file cannot keep: save"):
        pynet.save(pynet.Sequential(pynet.Linear(3, 3), pynet.Activation(np.sin, np.cos)), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"must be a pynet\.Module"):
        pynet.save({}, tmp_path / "m.npz")
    for ending in ("", ".pkl", ".NPZ"):
        with pytest.raises(ValueError, match="must end in"):
            pynet.save(pynet.ReLU(), tmp_path / f"m{ending}")
        with pytest.raises(ValueError, match="must end in"):
            pynet.load(tmp_path / f"m{ending}")
    assert os.listdir(tmp_path) == []


def test_a_new_file_has_the_usual_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        pynet.save(pynet.ReLU(), tmp_path / "m.npz")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "m.npz").stat().st_mode) == 0o640


def test_a_file_of_arrays_alone_is_said_to_be_one(tmp_path):
    np.savez(tmp_path / "m.npz", a=np.ones(1))
    with pytest.raises(pynet.CheckpointError, match="no architecture"):
        pynet.load(tmp_path / "m.npz")
    with pytest.raises(FileNotFoundError):
        pynet.load(tmp_path / "absent.npz")


def test_a_module_that_stands_twice_comes_back_as_one(tmp_path):
    layer = pynet.Linear(2, 2)
    pynet.save(pynet.Sequential(layer, pynet.ReLU(), layer, pynet.Sequential(layer)), tmp_path / "m.npz")
    other = pynet.load(tmp_path / "m.npz")
    assert other[0] is other[2] is other[3][0]
    np.testing.assert_array_equal(other[0].W, layer.W)


def test_each_module_comes_back_in_its_own_mode(tmp_path):
    model = pynet.Sequential(pynet.BatchNorm(2).eval(), pynet.Dropout())
    pynet.save(model, tmp_path / "m.npz")
    assert [m.training for m in pynet.load(tmp_path / "m.npz")] == [False, True]


class Block(pynet.Module):
    """Makes its own modules from a number."""

    def __init__(self, width):
        super().__init__()
        self.width, self.linear = width, pynet.Linear(width, width)
        self.rest = [pynet.Dropout(), pynet.BatchNorm(width, affine=False)]

    def forward(self, input):
        for layer in (self.linear, *self.rest):
            input = layer.forward(input)
        return input

    def backward(self, input, grad_output):
        raise NotImplementedError


def test_modules_made_in_a_constructor_come_back_in_their_mode_and_dtype(tmp_path):
    model = pynet.Sequential(Block(3)).astype(np.float32).eval()
    pynet.save(model, tmp_path / "m.npz")
    other = pynet.load(tmp_path / "m.npz", classes=[Block])
    x = np.random.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    assert other[0].rest[1].running_var.dtype == np.float32


def test_layers_of_size_zero_come_back(tmp_path):
    for layer_ in (pynet.Linear(0, 5, bias=False), pynet.Linear(5, 0), pynet.Linear(0, 5), pynet.BatchNorm(0)):
        pynet.save(pynet.Sequential(layer_), tmp_path / "m.npz")
        assert repr(pynet.load(tmp_path / "m.npz")[0]) == repr(layer_)


def test_the_default_dtype_does_not_touch_what_is_loaded(tmp_path):
    models = [pynet.Sequential(pynet.Linear(2, 2), Scale(1.0, pynet.Linear(2, 2))).astype(t) for t in ("f4", "f8")]
    for model in models:
        pynet.set_default_dtype(np.float64 if model[0].W.dtype == np.float32 else np.float32)
        pynet.save(model, tmp_path / "m.npz")
        other = pynet.load(tmp_path / "m.npz", classes=[Scale])
        for a, b in zip(other.parameters(), model.parameters(), strict=True):
            assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())


class Plain:
    """A layer on no base class of ours."""

    def __init__(self, width):
        self.width, self.w = width, np.full(width, 2.0, np.float32)

    def forward(self, input):
        return input * self.w

    def backward(self, input, grad_output):
        self.grad_w = np.sum(input * grad_output, axis=0)
        return grad_output * self.w

    def parameters(self):
        return [self.w]

    def grad_parameters(self):
        return [self.grad_w]


def test_a_layer_without_our_base_class_is_saved_too(tmp_path):
    model = pynet.Sequential(Plain(3))
    model[0].w[...] = [1, 2, 3]
    pynet.save(model, tmp_path / "m.npz")
    np.testing.assert_array_equal(pynet.load(tmp_path / "m.npz", classes=[Plain])[0].w, [1, 2, 3])


def test_a_subclass_whose_constructor_takes_something_else_is_refused_when_saved(tmp_path):
    class Net(pynet.Sequential):
        def __init__(self, width):
            super().__init__(pynet.Linear(width, width))

    class Square(pynet.Linear):
        def __init__(self, width):
            super().__init__(width, width)

    for model in (Net(3), Square(3)):
        with pytest.raises(TypeError, match=r"constructor does not take.*define config\(\)"):
            pynet.save(model, tmp_path / "m.npz")
    assert repr(Square(3)) == "Square()"


def test_what_to_write_for_classes_is_said(tmp_path):
    pynet.save(pynet.ReLU(), tmp_path / "m.npz")
    for wrong in (Scale, [Scale(1.0, pynet.ReLU())], "Scale"):
        with pytest.raises(TypeError, match=r"classes=\[MyLayer\]"):
            pynet.load(tmp_path / "m.npz", classes=wrong)
    with pytest.raises(FileNotFoundError, match="no folder"):
        pynet.save(pynet.ReLU(), tmp_path / "absent" / "m.npz")


@each_format
def test_metadata_travel_with_the_model(tmp_path, ending):
    path, metadata = tmp_path / f"model{ending}", {"classes": ["a", "ä"], "mean": [0.1, 1 / 3], "n": None}
    pynet.save(pynet.Linear(2, 2), path, metadata)
    assert pynet.load_metadata(path) == metadata
    assert pynet.load(path).W.shape == (2, 2)
    pynet.save(pynet.Linear(2, 2), path)
    assert pynet.load_metadata(path) is None


@pytest.mark.parametrize(("metadata", "error"), [({"x": {1, 2}}, TypeError), ([float("nan")], ValueError)])
def test_metadata_that_json_cannot_hold_raise_and_write_nothing(tmp_path, metadata, error):
    with pytest.raises(error, match="metadata must be what JSON can hold"):
        pynet.save(pynet.Linear(2, 2), tmp_path / "model.npz", metadata)
    assert list(tmp_path.iterdir()) == []
