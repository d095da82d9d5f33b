"""Hooks: they see every call, change nothing, and leave no trace."""

import copy
import pickle

import numpy as np
import pytest
from test_users_modules import Block, NotebookLinear, OwnLinear

import pynet
from pynet import protocol
from pynet.hooks import capture, register_backward_hook, register_forward_hook
from pynet.testing import gradcheck

x, y = np.random.default_rng(1).normal(size=(2, 6, 4))


class Recorder:
    """A hook that keeps what it is called with, and returns something that must not matter."""

    def __init__(self):
        self.calls = []

    def __call__(self, *call):
        self.calls.append(call)
        return "ignored"

    def __reduce__(self):
        raise AssertionError("a hook goes into a copy")


def network():
    shared = pynet.Tanh()
    inner = pynet.Sequential(shared, NotebookLinear(4, 4))
    return pynet.Sequential(pynet.Linear(4, 4, seed=0), shared, inner, pynet.BatchNorm(4), pynet.Dropout(0.5, seed=0))


def hooked(model):
    hook = Recorder()
    for _, module in protocol.modules(model):
        register_forward_hook(module, hook)
        register_backward_hook(module, hook)
    return hook


@pytest.mark.parametrize("make", [pynet.Linear, NotebookLinear, OwnLinear])
def test_hooks_see_the_module_and_the_very_arrays(make):
    module, forward, backward = make(4, 4), Recorder(), Recorder()
    register_forward_hook(module, forward)
    register_backward_hook(module, backward)
    output = module.forward(x)
    grad_input = module.backward(x, y)
    assert [len(forward.calls), len(backward.calls)] == [1, 1]
    for got, expected in zip(forward.calls[0], (module, x, output), strict=True):
        assert got is expected
    for got, expected in zip(backward.calls[0], (module, x, y, grad_input), strict=True):
        assert got is expected


def test_arguments_given_by_name_are_seen_too():
    module, hook = pynet.Linear(4, 4), Recorder()
    module.register_forward_hook(hook)
    module.register_backward_hook(hook)
    module.forward(input=x)
    module.backward(grad_output=y, input=x, accumulate=True)
    assert hook.calls[0][1] is x
    assert hook.calls[1][1] is x
    assert hook.calls[1][2] is y


def test_a_removed_hook_leaves_nothing_behind():
    module, first, second = pynet.ReLU(), Recorder(), Recorder()
    before = dict(vars(module))
    handle = module.register_forward_hook(first)
    with module.register_forward_hook(second):
        module(x)
    module(x)
    handle.remove()
    handle.remove()
    module(x)
    assert [len(first.calls), len(second.calls)] == [2, 1]
    del module.output
    assert vars(module) == before
    assert module.forward.__func__ is pynet.ReLU.forward


def test_one_function_registered_twice_is_called_twice_and_removed_once():
    module, hook = pynet.ReLU(), Recorder()
    module.register_forward_hook(hook)
    module.register_forward_hook(hook).remove()
    module.forward(x)
    assert len(hook.calls) == 1


def test_a_forward_that_somebody_put_into_an_object_comes_back():
    module, hook = NotebookLinear(4, 4), Recorder()
    own = module.forward = lambda x: 2 * x
    with register_forward_hook(module, hook):
        np.testing.assert_array_equal(module.forward(x), 2 * x)
        kept = OwnLinear(4, 4)
        kept.forward = own
        register_forward_hook(kept, hook)
        assert vars(copy.copy(kept))["forward"] is own
    assert module.forward is own
    assert len(hook.calls) == 1


def test_what_a_hook_raises_comes_out():
    module = pynet.ReLU()
    module.register_forward_hook(lambda *call: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        module.forward(x)


def test_a_failed_call_is_not_shown():
    module, hook = pynet.Linear(3, 2), Recorder()
    module.register_forward_hook(hook)
    with pytest.raises(pynet.ShapeError, match=r"^Linear\(3, 2\): input has 4 features"):
        module.forward(x)
    assert not hook.calls


def test_a_subclass_that_calls_super_is_seen_once():
    class Twice(pynet.Linear):
        def forward(self, input):
            return super().forward(super().forward(input))

    module, hook = Twice(4, 4), Recorder()
    module.register_forward_hook(hook)
    module(x)
    assert len(hook.calls) == 1


def test_what_cannot_be_hooked_is_refused():
    class Slots:
        __slots__ = ()
        forward = backward = print

    for wrong in (pynet.MSE(), pynet.ReLU, 3, Slots()):
        with pytest.raises(TypeError, match=r"module|__slots__"):
            register_forward_hook(wrong, print)
    with pytest.raises(TypeError, match="hook must be a function"):
        pynet.ReLU().register_backward_hook(3)


def steps(model, watch):
    np.random.seed(0)
    hook = hooked(model) if watch else None
    optimizer, criterion = pynet.optim.SGD(model, 0.05, momentum=0.9), pynet.CrossEntropyLoss()
    found = []
    for step in range(4):
        model.train(step != 2)
        found.append(criterion(model.forward(x), y))
        found.append(model.backward(x, criterion.backward(model.output, y), accumulate=step == 1))
        found += [g.copy() for g in model.grad_parameters()]
        optimizer.step()
    return found + list(model.state_dict().values()), hook


def test_a_run_with_hooks_has_the_same_bits_as_one_without():
    np.random.seed(5)
    model = network()
    other = copy.deepcopy(model)
    (expected, _), (got, hook) = steps(model, watch=False), steps(other, watch=True)
    assert len(got) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(got, expected, strict=True))
    # The model, three leaves, the Sequential inside with its Linear, and the Tanh that stands twice.
    assert len(hook.calls) == 4 * 2 * (1 + 3 + 2 + 2)


def test_names_modes_repr_and_walks_are_those_of_a_model_without_hooks():
    model = pynet.Sequential(network(), Block(4))
    before = repr(model), protocol.modules(model), list(model.state_dict()), model.config()
    hooked(model)
    assert (repr(model), protocol.modules(model), list(model.state_dict()), model.config()) == before
    assert not model.eval()[0][3].training
    assert model.astype(np.float32).forward(x).dtype == np.float32
    assert [p.shape for p in model.parameters()] == [g.shape for g in model.grad_parameters()]


@pytest.mark.parametrize("make", [network, lambda: NotebookLinear(4, 3), lambda: Block(4), lambda: OwnLinear(4, 2)])
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))], ids=["deepcopy", "pickle"]
)
def test_copies_have_no_hooks_and_compute_with_their_own_parameters(make, copied):
    model = make()
    hook = hooked(model)
    other = copied(model)
    for parameter in protocol.all_parameters(other):
        parameter.array[...] = 0
    protocol.set_mode(other, False)
    assert not np.any(other.forward(x))
    assert not hook.calls
    assert np.any(model.forward(x))
    assert hook.calls


def test_a_shallow_copy_of_a_module_has_no_hooks():
    model = pynet.Linear(4, 4)
    hook = hooked(model)
    copy.copy(model).forward(x)
    assert not hook.calls
    assert model.__getstate__().keys() == vars(pynet.Linear(4, 4)).keys()


def test_files_know_nothing_of_hooks(tmp_path):
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Tanh())
    pynet.save(model, tmp_path / "plain.npz")
    hook = hooked(model)
    pynet.save(model, tmp_path / "hooked.npz")
    pynet.load(tmp_path / "hooked.npz").forward(x)
    assert not hook.calls
    assert (tmp_path / "hooked.npz").stat().st_size == (tmp_path / "plain.npz").stat().st_size


@pytest.mark.parametrize("make", [lambda: NotebookLinear(4, 3), lambda: Block(4), network])
def test_gradcheck_neither_fires_hooks_nor_minds_them(make):
    module = make()
    expected = gradcheck(module, x)
    hook = hooked(module)
    assert gradcheck(module, x) == expected
    assert not hook.calls


def test_replaying_fires_no_forward_hooks():
    model = network()
    model.forward(x)
    hook = Recorder()
    for _, module in protocol.modules(model):
        register_forward_hook(module, hook)
    model.backward(x.copy(), y)  # another array: the intermediate results are computed again
    assert not hook.calls


def test_a_users_own_replay_is_not_shown_either():
    class Again(pynet.ReLU):
        def _replay(self, input):
            return self.forward(input)

    again = Again()
    model = pynet.Sequential(again, pynet.Tanh())
    hook = Recorder()
    again.register_forward_hook(hook)
    model.backward(x, y)
    assert not hook.calls


def test_capture_finds_every_module_at_its_place():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Sequential(Block(4)), pynet.ReLU())
    before = [dict(vars(module)).keys() for _, module in protocol.modules(model)]
    with capture(model) as seen:
        model.forward(-x)
        output = model.forward(x)
        model.backward(x, y)
    model.forward(-x)
    places = {"", "0", "1", "1.0", "1.0.first", "1.0.rest.0", "1.0.rest.1", "2"}
    assert seen.outputs.keys() == seen.grad_outputs.keys() == places
    assert seen.outputs[""] is output
    np.testing.assert_allclose(seen.outputs["0"], x @ model[0].W.T + model[0].b)
    assert seen.grad_outputs["2"] is y
    np.testing.assert_array_equal(seen.grad_outputs["1"], np.where(seen.outputs["1"] > 0, y, 0))
    assert [vars(m).keys() - {"output", "_kept", "grad_W", "grad_b"} for _, m in protocol.modules(model)] == [
        keys - {"output", "_kept", "grad_W", "grad_b"} for keys in before
    ]


def test_capture_of_one_layer_and_after_an_error():
    layer = NotebookLinear(4, 3)
    seen = []

    def fail():
        with capture(layer) as captured:
            seen.append(captured)
            layer.forward(x)
            layer.forward(3)

    with pytest.raises(ValueError, match="matmul"):
        fail()
    assert list(seen[0].outputs) == [""]
    assert "forward" not in vars(layer)
    with pytest.raises(TypeError, match="module"), capture(pynet.MSE()):
        pass
