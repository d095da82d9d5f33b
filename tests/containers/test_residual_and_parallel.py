"""Residual and Parallel beside what holds for every module: shapes that do not fit, users' modules, places, files."""

import copy
import re

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.testing import check_module, gradcheck

x, y = np.random.default_rng(1).normal(size=(2, 6, 4))


def test_a_residual_adds_its_input_and_a_parallel_its_outputs():
    linear, tanh = pynet.Linear(4, 4), pynet.Tanh()
    np.testing.assert_allclose(pynet.Residual(linear, tanh).forward(x), x + np.tanh(x @ linear.W.T + linear.b))
    np.testing.assert_allclose(pynet.Parallel(linear, tanh).forward(x), x @ linear.W.T + linear.b + np.tanh(x))
    beside = pynet.Parallel(pynet.Identity(), tanh, merge="cat")
    np.testing.assert_allclose(beside.forward(x), np.hstack([x, np.tanh(x)]))
    np.testing.assert_allclose(beside.backward(x, np.hstack([y, y])), y + y * (1 - np.tanh(x) ** 2))


def test_shapes_that_do_not_go_together_are_refused_with_both_of_them():
    for model, says in (
        (pynet.Residual(pynet.Linear(4, 3)), r"give shape (6, 3) for an input of shape (6, 4)"),
        (
            pynet.Parallel(pynet.Linear(4, 3), pynet.Linear(4, 2)),
            "layers 0 and 1 of Parallel give shapes (6, 3) and (6, 2)",
        ),
        (pynet.Parallel(pynet.Identity(), pynet.Flatten(0), merge="cat"), "all axes but the last must agree"),
    ):
        for call in (model.forward, lambda x, model=model: model.backward(x, y)):
            with pytest.raises(pynet.ShapeError, match=re.escape(says)):
                call(x)
        assert model.output is None
    with pytest.raises(pynet.ShapeError, match=r"grad_output has shape \(6, 4\), expected \(6, 8\)"):
        pynet.Parallel(pynet.Identity(), pynet.Tanh(), merge="cat").backward(x, y)
    with pytest.raises(pynet.ShapeError):  # numbers without axes have no last one
        pynet.Parallel(pynet.Identity(), merge="cat").forward(1.0)
    with pytest.raises(pynet.StateError, match="no layers"):
        pynet.Parallel().forward(x)


@pytest.mark.parametrize("make", [pynet.Residual, pynet.Parallel])
def test_errors_name_the_layer_and_its_place(make):
    model = pynet.Sequential(make(pynet.ReLU(), pynet.Linear(3, 2)))
    with pytest.raises(pynet.ShapeError) as caught:
        model.forward(x)
    assert caught.value.__notes__ == [
        f"in layer 1 of {make.__name__}: Linear(3, 2)",
        f"in layer 0 of Sequential: {make.__name__}(...)",
    ]
    with pytest.raises(
        TypeError, match=rf"layer 1 of {make.__name__} must be a module.*write {make.__name__}\(\*layers"
    ):
        make(pynet.ReLU(), [])
    inner = make()
    with pytest.raises(ValueError, match=f"layer 0 of {make.__name__} contains this {make.__name__} itself"):
        inner.append(pynet.Sequential(inner))


def blocks(layer):
    """A module of a user's in every kind of container, beside Dropout, BatchNorm and one that stands twice."""
    body = pynet.Residual(pynet.BatchNorm(4), layer, pynet.Dropout(0.3), pynet.Linear(4, 4))
    side = pynet.Parallel(pynet.Linear(4, 2), pynet.Sequential(pynet.Tanh(), pynet.Linear(4, 3)), merge="cat")
    return pynet.Sequential(body, pynet.Parallel(layer, pynet.Tanh()), side, pynet.Linear(5, 2))


def test_users_modules_inside_learn_accumulate_and_are_named():
    model = blocks(NotebookLinear(4, 4))
    assert list(model.state_dict()) == [
        *(f"0.0.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
        *("0.1.W", "0.1.b", "0.3.weight", "0.3.bias"),
        *("2.0.weight", "2.0.bias", "2.1.1.weight", "2.1.1.bias", "3.weight", "3.bias"),
    ]
    gradcheck(model, x)
    grad = np.ones((6, 2))
    model.forward(x)
    model.backward(x, grad)
    once = [gradient.copy() for gradient in model.grad_parameters()]
    model.backward(x, grad, accumulate=True)
    for twice, gradient in zip(model.grad_parameters(), once, strict=True):
        np.testing.assert_allclose(twice, 2 * gradient, rtol=1e-12, atol=1e-15)
    assert not model.eval()[0][2].training
    np.testing.assert_allclose(copy.deepcopy(model).forward(x), model.forward(x))


def test_a_backward_away_from_the_last_forward_computes_anew_and_changes_nothing():
    model = blocks(pynet.Linear(4, 4))
    model.forward(x)
    want = model.backward(x, np.ones((6, 2)))
    state, outputs = model.state_dict(), [layer.output for layer in model]
    np.testing.assert_array_equal(model.backward(x.copy(), np.ones((6, 2))), want)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    assert all(layer.output is before for layer, before in zip(model, outputs, strict=True))


def test_a_container_that_stands_twice_keeps_what_it_had_at_each_place():
    inner = pynet.Residual(pynet.Linear(4, 4), pynet.Dropout(0.5), pynet.Tanh())
    gradcheck(pynet.Sequential(inner, inner), x)
    gradcheck(pynet.Residual(inner, inner), x)
    gradcheck(pynet.Parallel(inner, inner, merge="cat"), x)


def twice(make_outer, make_inner):
    """A Dropout that stands twice, in a container that may stand twice as well."""
    dropout = pynet.Dropout(0.4)
    inner = make_inner(dropout, pynet.Linear(4, 4), dropout)
    return make_outer(inner, pynet.Tanh(), inner)


@pytest.mark.parametrize("outer", [pynet.Sequential, pynet.Residual, pynet.Parallel])
@pytest.mark.parametrize("inner", [pynet.Sequential, pynet.Residual, pynet.Parallel])
def test_a_backward_away_from_the_last_forward_uses_the_mask_of_each_place(outer, inner):
    check_module(lambda: twice(outer, inner), (6, 4))
    check_module(lambda: pynet.Sequential(twice(outer, inner), pynet.Tanh()), (6, 4))


def test_a_subclass_with_a_forward_of_its_own_is_computed_anew_by_it():
    class Halved(pynet.Residual):
        def forward(self, input):
            self.output = 0.5 * super().forward(input)
            return self.output

        def backward(self, input, grad_output, accumulate=False):
            return super().backward(input, 0.5 * np.asarray(grad_output), accumulate)

    gradcheck(pynet.Sequential(Halved(pynet.Linear(4, 4)), pynet.Tanh()), x)
    check_module(lambda: Halved(pynet.Linear(4, 4)), (6, 4))


def test_hooks_summary_and_trace_see_inside():
    model = blocks(pynet.Linear(4, 4))
    with pynet.capture(model) as seen:
        model.backward(x, np.ones_like(model.forward(x)))
    assert seen.outputs["2"].shape == (6, 5)
    assert seen.grad_outputs["2.1"].shape == (6, 3)
    assert "2.1.1" in str(pynet.summary(model, (6, 4)))
    model[2][1][1].W[0, 0] = np.inf
    assert "2.1.1" in str(pynet.trace_nan(model, x))


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_files_keep_the_architecture(ending, tmp_path):
    model = blocks(pynet.Linear(4, 4)).eval()
    pynet.save(model, tmp_path / f"model{ending}")
    loaded = pynet.load(tmp_path / f"model{ending}").eval()
    assert repr(loaded) == repr(model)
    assert loaded[2].merge == "cat"
    assert loaded[1][0] is loaded[0][1]
    np.testing.assert_array_equal(loaded.forward(x), model.forward(x))


def test_the_parameters_decide_the_dtype():
    model = pynet.Residual(pynet.Linear(4, 4, dtype=np.float32))
    assert model.forward(x).dtype == np.float32
    assert model.backward(x, y).dtype == np.float32
    assert pynet.Residual(pynet.Tanh()).forward(np.ones((2, 2), int)).dtype == np.float64
    assert pynet.Parallel(pynet.Linear(4, 4, dtype=np.float32)).forward(x.tolist()).dtype == np.float32


def test_numbers_without_axes_stay_arrays():
    for model in (pynet.Residual(pynet.Tanh()), pynet.Parallel(pynet.Tanh(), pynet.Identity())):
        assert isinstance(model.forward(np.array(0.5)), np.ndarray)
        assert isinstance(model.backward(np.array(0.5), np.array(1.0)), np.ndarray)


def test_layers_can_be_counted_taken_and_appended():
    model = pynet.Parallel(pynet.ReLU(), merge="cat")
    assert model.append(pynet.Tanh()) is model
    assert len(model) == 2
    assert model[-1] is list(model)[1]
    assert model[:1] == model.layers[:1]
    assert repr(pynet.Residual()) == "Residual()"


def test_the_repr_says_how_outputs_are_put_together():
    assert repr(pynet.Parallel(pynet.ReLU(), merge="cat")) == "Parallel(\n  (0): ReLU()\n  merge='cat'\n)"
    assert repr(pynet.Parallel(pynet.ReLU())) == "Parallel(\n  (0): ReLU()\n)"
    assert repr(pynet.Parallel(merge="cat")) == "Parallel(merge='cat')"
