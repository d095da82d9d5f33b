"""The protocol: containers, names, arrays, dtypes, modes, copies of state."""

import threading

import numpy as np
import pytest

import pynet
from pynet.testing import gradcheck

x, y = np.random.default_rng(1).normal(size=(2, 6, 4))


def test_a_container_uses_its_own_intermediates_only_for_the_same_array():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Tanh(), pynet.Linear(4, 2))
    grad = np.ones((6, 2))
    model.forward(x)
    from_kept = model.backward(x, grad)
    np.testing.assert_array_equal(model.backward(x.copy(), grad), from_kept)
    model.forward(y)
    np.testing.assert_array_equal(model.backward(x, grad), from_kept)
    model.append(pynet.ReLU())
    model.layers.pop()
    np.testing.assert_array_equal(model.backward(x, grad), from_kept)


def test_a_new_layer_after_forward_is_seen_by_backward():
    model = pynet.Sequential(pynet.Linear(4, 4))
    model.forward(x)
    model.append(pynet.LeakyReLU(0.5))
    model.backward(x, y)
    assert gradcheck(model, x)


def test_a_backward_elsewhere_keeps_the_dropout_mask_and_raises_without_one():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Dropout(0.5), pynet.Linear(4, 4))
    with pytest.raises(pynet.StateError, match="no mask"):
        model.backward(x, y)
    model.forward(x)
    mask = model[1].mask.copy()
    random = np.random.get_state()[1].copy()
    model.backward(x + 1, y)
    np.testing.assert_array_equal(model[1].mask, mask)
    np.testing.assert_array_equal(np.random.get_state()[1], random)
    with pytest.raises(pynet.StateError, match="shape"):
        model.backward(x[:3], y[:3])


def test_both_spellings_are_the_same_arrays():
    layer = pynet.Linear(4, 3)
    assert layer.W is layer.weight
    assert layer.b is layer.bias
    assert layer.grad_W is layer.grad_weight
    assert layer.grad_b is layer.grad_bias
    assert not layer.grad_W.any()
    assert layer.grad_W.shape == (3, 4)


def test_an_assigned_array_is_kept_when_it_can_be_and_copied_when_not():
    layer = pynet.Linear(4, 3)
    good = np.ones((3, 4))
    layer.W = good
    assert layer.W is good
    good[0, 0] = 5
    assert layer.forward(np.eye(4))[0, 0] == 5 + layer.b[0]
    odd = np.ones((4, 3)).T
    layer.weight = odd
    assert layer.W is not odd
    assert layer.W.flags.c_contiguous
    frozen = np.ones((3, 4))
    frozen.flags.writeable = False
    layer.W = frozen
    assert layer.W.flags.writeable
    layer.W = [[1] * 4] * 3
    assert layer.W.dtype == np.float64
    before = layer.W
    with pytest.raises(pynet.ShapeError, match=r"W has shape \(4, 3\), expected \(3, 4\)"):
        layer.W = np.ones((4, 3))
    with pytest.raises(TypeError, match="W"):
        layer.W = None
    with pytest.raises(ValueError, match="no b"):
        pynet.Linear(4, 3, bias=False).b = np.zeros(3)
    assert layer.W is before


def test_an_assigned_array_of_another_dtype_takes_the_layer_along():
    layer = pynet.Linear(4, 3)
    layer.W = np.ones((3, 4), np.float32)
    assert {a.dtype for a in (layer.W, layer.b, layer.grad_W, layer.grad_b)} == {np.dtype(np.float32)}
    assert layer.forward(x).dtype == np.float32


def test_a_spoilt_parameter_raises_and_does_not_crash():
    layer = pynet.Linear(4, 3)
    layer.W.resize((12,), refcheck=False)
    with pytest.raises(pynet.ShapeError, match="W"):
        layer.forward(x)
    layer = pynet.Linear(4, 3)
    layer.grad_W.flags.writeable = False
    with pytest.raises(ValueError, match="grad_W"):
        layer.backward(x, y[:, :3])


def test_in_place_changes_count_in_the_next_call():
    layer = pynet.Linear(4, 3)
    layer.forward(x)
    layer.W *= 2
    np.testing.assert_allclose(layer.forward(x), x @ layer.W.T + layer.b)
    np.testing.assert_allclose(layer.backward(x, y[:, :3]), y[:, :3] @ layer.W)


def test_the_parameters_decide_the_dtype():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.ReLU()).astype(np.float32)
    assert model.forward(x).dtype == np.float32
    assert model.backward(x, y[:, :3]).dtype == np.float32
    assert pynet.ReLU().forward(x.astype(np.float32)).dtype == np.float32
    assert pynet.ReLU().forward([1, 2]).dtype == np.float64
    pynet.set_default_dtype(np.float32)
    assert pynet.Linear(2, 2).W.dtype == np.float32
    assert pynet.BatchNorm(2).running_var.dtype == np.float32
    assert pynet.ReLU().forward([1, 2]).dtype == np.float32
    assert pynet.Linear(2, 2, dtype="float64").W.dtype == np.float64
    for layer in (pynet.ReLU(), pynet.SoftMax()):
        assert layer([[1.0, 2.0]]).dtype == layer(((1, 2),)).dtype == np.float32  # a list has no dtype of its own
        assert layer(np.ones((1, 2))).dtype == np.float64
    assert pynet.MSELoss()([[1.0]], [[2.0]]).dtype == np.float32
    for wrong in (np.float16, int, "text", None):
        with pytest.raises(TypeError, match="float32 or float64"):
            pynet.set_default_dtype(wrong)


def test_state_dict_errors_change_nothing():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3))
    good, before = model.state_dict(), [p.copy() for p in model.parameters()]
    with pytest.raises(ValueError, match=r"missing \['0.bias'\], unexpected \['extra'\]"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items() if k != "0.bias"}, "extra": np.ones(1)})
    with pytest.raises(pynet.ShapeError, match=r"1.running_var has shape \(4,\), expected \(3,\)"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items()}, "1.running_var": np.ones(4)})
    with pytest.raises(TypeError, match=r"1\.bias"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items()}, "1.bias": np.full(3, 1j)})
    assert all((a == b).all() for a, b in zip(model.parameters(), before, strict=True))
    result = model.load_state_dict({"0.weight": good["0.weight"] * 0, "extra": [1]}, strict=False)
    assert result.unexpected == ["extra"]
    assert result.missing == [name for name in good if name != "0.weight"]
    assert not model[0].W.any()


def test_state_dict_names_are_pytorchs():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3), pynet.Sequential(pynet.ReLU(), pynet.Linear(3, 2)))
    assert list(model.state_dict()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
        "2.1.weight",
        "2.1.bias",
    ]
    assert model.state_dict()["1.num_batches_tracked"].dtype == np.int64


def test_evaluation_from_many_threads_gives_each_its_answer():
    model = pynet.Sequential(
        pynet.Linear(4, 64), pynet.BatchNorm(64), pynet.Dropout(), pynet.Tanh(), pynet.Linear(64, 3)
    ).eval()
    inputs = [np.random.normal(size=(50, 4)) for _ in range(8)]
    expected = [model.forward(i) for i in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            if not np.array_equal(model.forward(inputs[i]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_identity_layers_return_their_input():
    assert pynet.Sequential().forward(x) is x
    assert pynet.Dropout().eval().forward(x) is x


def test_repr_shows_what_to_write():
    assert repr(pynet.Linear(3, 2, bias=False)) == "Linear(3, 2, bias=False)"
    assert repr(pynet.Linear(3, 2, dtype=np.float32)) == "Linear(3, 2, dtype=float32)"
    assert repr(pynet.LeakyReLU()) == "LeakyReLU()"
    assert repr(pynet.Sequential(pynet.ReLU(), pynet.Sequential(pynet.Dropout(0.1)))) == (
        "Sequential(\n  (0): ReLU()\n  (1): Sequential(\n    (0): Dropout(p=0.1)\n  )\n)"
    )


class Plain:
    """No base class, and no repr."""

    def __init__(self, width=1, *held):
        self.width, self.held = width, held

    def forward(self, input):
        return input

    def backward(self, input, grad_output):
        return grad_output


def test_modules_without_a_base_are_shown_as_ours_are():
    model = pynet.Sequential(Plain(), Plain(3), Plain(2, pynet.ReLU(), Plain()))
    assert repr(model) == (
        "Sequential(\n  (0): Plain()\n  (1): Plain(width=3)\n"
        "  (2): Plain(\n    (held.0): ReLU()\n    (held.1): Plain()\n  )\n)"
    )
    one, other = Plain(), Plain()
    one.held, other.held = [other], [one]
    assert (
        repr(pynet.Sequential(one))
        == "Sequential(\n  (0): Plain(\n    (held.0): Plain(\n      (held.0): ...\n    )\n  )\n)"
    )
