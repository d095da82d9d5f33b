"""What holds for every module: one function over the table each."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from table import CRITERIA, MODULES, Case, name_of

import pynet
from pynet.layers.elementwise import Elementwise
from pynet.testing import check_module, gradcheck
from pynet.testing.layouts import layouts, plain

each_module = pytest.mark.parametrize("case", MODULES, ids=name_of)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def run(module, x, grad):
    """One forward and backward, from the same random numbers."""
    np.random.seed(5)
    y = module.forward(x)
    dx = module.backward(x, grad)
    return [y, dx, *module.grad_parameters()]


def grad_for(case, dtype=np.float64):
    module = case.module(dtype)
    return np.random.default_rng(4).normal(size=module.forward(case.input(dtype)).shape).astype(dtype)


def snapshot(module):
    return [
        array.tobytes()
        for array in [*module.parameters(), *module.grad_parameters(), *(b for _, b in module.named_buffers())]
    ]


def has_batch_norm(case):
    layers = pynet.Sequential(case.make())[0]
    return isinstance(layers, pynet.BatchNorm) or any(
        isinstance(m, pynet.BatchNorm) for m in getattr(layers, "layers", ())
    )


@each_module
@each_dtype
def test_forward_equals_numpy(case: Case, dtype):
    module, x = case.module(dtype), case.input(dtype)
    np.random.seed(5)
    y = module.forward(x)
    np.random.seed(5)
    expected = case.reference(copy.deepcopy(module) if len(module.named_buffers()) else module, x.astype(np.float64))
    np.testing.assert_allclose(
        y, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6 if dtype == np.float32 else 1e-13
    )
    assert y.dtype == dtype
    assert module.output is y


@each_module
def test_every_row_of_check_module_holds(case: Case):
    report = check_module(case.module, case.input())
    expected = []
    if has_batch_norm(case) and case.training:
        expected.append("zero rows go through")  # it refuses a batch without statistics
    if len(case.shape) == 1 and isinstance(case.make(), pynet.SoftMax | pynet.LogSoftMax):
        expected.append("rows one by one")  # that axis is the classes'
    assert [row.name for row in report.notes] == expected, report


def in_every_layout(array):
    return {"contiguous": array} | layouts(array)


def first_and_0_stride(arrays):
    """The names of those that differ in their numbers."""
    return [name for name in ("contiguous", "0-stride") if name in arrays]


@each_module
def test_gradients_equal_finite_differences_in_every_layout_of_input_and_grad_output(case: Case):
    inputs, grads = in_every_layout(case.input()), in_every_layout(grad_for(case))
    expected = {}
    for names in itertools.product(first_and_0_stride(inputs), first_and_0_stride(grads)):
        x, grad = plain(inputs[names[0]]), plain(grads[names[1]])
        module = case.module()
        report = gradcheck(module, x, grad_output=grad, atol=1e-8, rtol=1e-6)
        assert report.checked == (0 if case.takes_indices else x.size) + sum(p.size for p in module.parameters())
        expected[names] = [array.tobytes() for array in run(case.module(), x, grad)]
    module = case.module()
    for (x_name, x), (grad_name, grad) in itertools.product(inputs.items(), grads.items()):
        want = expected[tuple("0-stride" if name == "0-stride" else "contiguous" for name in (x_name, grad_name))]
        for got, bits in zip(run(module, x, grad), want, strict=True):
            assert got.tobytes() == bits, (x_name, grad_name)


def test_there_are_four_thousand_cases_of_gradients():
    counts = [len(in_every_layout(case.input())) * len(in_every_layout(grad_for(case))) for case in MODULES]
    counts += [len(in_every_layout(case.input)) * len(in_every_layout(case.target)) for case in CRITERIA]
    assert sum(counts) >= 4000


def places_of_kinks(module):
    """Where a module's derivative jumps."""
    match module:
        case pynet.ReLU() | pynet.LeakyReLU() | pynet.ELU() | pynet.SELU() | pynet.PReLU():
            return [0]
        case pynet.Hardtanh():
            return [module.min_val, module.max_val]
        case pynet.ReLU6():
            return [0, 6]
        case pynet.Hardsigmoid() | pynet.Hardswish():
            return [-3, 3]
        case pynet.Softplus():
            return [module.threshold / module.beta]
    return []


@each_module
def test_gradients_are_compared_ten_steps_away_from_every_kink(case: Case):
    module, x = case.module(), case.input()
    kinks = [x - place for place in places_of_kinks(module)]
    for layer in getattr(module, "layers", []):
        for inner in getattr(layer, "layers", [layer]):
            if isinstance(inner, pynet.ReLU | pynet.LeakyReLU):
                inner.register_forward_hook(lambda _layer, numbers, _output: kinks.append(numbers))
    module.forward(x)
    module.forward(np.broadcast_to(x[..., :1], x.shape))
    for numbers in kinks:
        moved = numbers[numbers != 0]  # an exact 0 is what a ReLU before has cut off, and no step moves it
        assert np.abs(moved).min() > 10 * 6e-6 * max(1, np.abs(x).max())


@each_module
def test_float32_is_the_same_bits_in_every_layout_and_stays_float32(case: Case):
    x, grad = case.input(np.float32), grad_for(case, np.float32)
    for (name, odd_x), (_, odd_grad) in zip(in_every_layout(x).items(), in_every_layout(grad).items(), strict=False):
        got = run(case.module(np.float32), odd_x, odd_grad)
        want = run(case.module(np.float32), plain(odd_x), plain(odd_grad))
        assert {array.dtype for array in got} == {np.dtype(np.float32)}
        assert [array.tobytes() for array in got] == [array.tobytes() for array in want], name


@each_module
def test_arrays_keep_their_identity(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    before = [*module.parameters(), *module.grad_parameters()]
    run(module, x, grad)
    module.zero_grad()
    after = [*module.parameters(), *module.grad_parameters()]
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert all(not g.any() for g in module.grad_parameters())


@each_module
def test_inputs_of_wrong_shapes_raise_and_change_nothing(case: Case):
    module, grad = case.module(), grad_for(case)
    run(module, case.input(), grad)
    before, random = snapshot(module), np.random.get_state()[1].tobytes()
    for shape in case.refuses:
        with pytest.raises(pynet.ShapeError, match=r"shape|axes|axis"):
            module.forward(np.ones(shape))
        with pytest.raises((pynet.ShapeError, pynet.StateError), match=r"shape|axes|axis"):
            module.backward(np.ones(shape), grad)
    assert snapshot(module) == before
    assert np.random.get_state()[1].tobytes() == random


@each_module
def test_a_wrong_grad_output_raises_what_the_contract_says(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    run(module, x, grad)
    before = snapshot(module)
    for wrong in (grad[:-1], grad[..., :1][..., [0] * (grad.shape[-1] + 1)], grad[None], np.float64(1)):
        with pytest.raises((pynet.ShapeError, pynet.StateError)):
            module.backward(x, wrong)
    with pytest.raises(TypeError):
        module.backward(x, np.full(grad.shape, "1.0"))
    assert snapshot(module) == before


@each_module
@pytest.mark.parametrize(
    "wrong",
    [1j, "1.0", None, {}, np.datetime64("2020"), object()],
    ids=["complex", "text", "None", "dict", "date", "object"],
)
def test_what_is_no_real_number_raises_type_error_and_changes_nothing(case: Case, wrong):
    module = case.module()
    before, random = snapshot(module), np.random.get_state()[1].tobytes()
    with pytest.raises(TypeError, match="input"):
        module.forward(np.full(case.shape, wrong))
    with pytest.raises(TypeError, match="masked"):
        module.forward(np.ma.masked_array(case.input(), mask=False))
    masked = np.ma.masked_array(case.input(), mask=False)
    for rows in ([masked], [[masked], [masked]], (case.input(), np.ma.masked_array(case.input()))):
        with pytest.raises(TypeError, match="has a masked array in it"):
            module.forward(rows)
    assert snapshot(module) == before
    assert np.random.get_state()[1].tobytes() == random


@each_module
def test_other_numbers_are_converted(case: Case):
    whole = np.round(case.input() * 3)
    expected = run(case.module(), whole, grad_for(case))
    for other in (
        whole.astype(np.int8),
        whole.astype(np.longdouble),
        whole.astype(np.float16),
        whole.tolist(),
        whole.view(np.matrix) if whole.ndim == 2 else whole,
    ):
        for got, want in zip(run(case.module(), other, grad_for(case).tolist()), expected, strict=True):
            assert type(got) is np.ndarray
            np.testing.assert_array_equal(got, want)


@each_module
def test_a_backward_at_another_input_leaves_all_outputs_alone(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    module.forward(x + 1)
    watched = [module, *getattr(module, "layers", [])]
    outputs = [layer.output for layer in watched]
    module.backward(x, grad)
    assert all(layer.output is before for layer, before in zip(watched, outputs, strict=True))


@each_module
@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, *(lambda m, p=p: pickle.loads(pickle.dumps(m, p)) for p in range(2, 6))]
)
def test_copies_are_of_the_module_and_not_of_its_last_call(case: Case, clone):
    module, x = case.module(), case.input()
    module.forward(x)
    other = clone(module)
    assert other.output is None
    assert repr(other) == repr(module)
    assert other.training == module.training
    grad = grad_for(case)
    for got, want in zip(run(other, x, grad), run(case.module(), x, grad), strict=True):
        if not module.named_buffers():  # a training forward has moved them
            np.testing.assert_array_equal(got, want)


@each_module
def test_train_and_eval_return_the_module(case: Case):
    module = case.make()
    assert module.training
    assert module.eval() is module
    assert not module.training
    assert not module._train
    assert module.train() is module
    assert module.training
    module._train = False
    assert not module.training


@each_module
def test_a_state_is_a_copy_and_fits(case: Case):
    source, target = case.module(), case.make().train(case.training)
    result = target.load_state_dict(source.state_dict())
    assert result == ([], [])
    for name, array in target.state_dict().items():
        np.testing.assert_array_equal(array, source.state_dict()[name])
    kept = [p.copy() for p in source.parameters()]
    for array in source.state_dict().values():
        array += 1
    assert all((a == b).all() for a, b in zip(source.parameters(), kept, strict=True))


@pytest.mark.parametrize("dims", [(0, 3), (3, 0), (0, 0)])
def test_a_linear_without_features_gives_its_bias_and_zero_gradients(dims):
    layer = pynet.Linear(*dims)
    layer.b[...] = 7
    np.testing.assert_array_equal(layer.forward(np.ones((5, dims[0]))), np.full((5, dims[1]), 7.0))
    np.testing.assert_array_equal(layer.backward(np.ones((5, dims[0])), np.ones((5, dims[1]))), np.zeros((5, dims[0])))
    assert (layer.grad_W.shape, layer.grad_b.tolist()) == (dims[::-1], [5.0] * dims[1])


WITHOUT_AXES = [pynet.Identity(), pynet.PReLU(), pynet.Activation(np.sin, np.cos), *map(pynet.GELU, ("none", "tanh"))]


@pytest.mark.parametrize("layer", [*(cls() for cls in Elementwise.__subclasses__()), *WITHOUT_AXES])
def test_a_number_without_axes_goes_through(layer):
    x = np.array(0.5)
    assert layer.forward(x).shape == ()
    assert gradcheck(layer, x).checked == 1 + len(layer.parameters())


def test_every_public_module_and_criterion_is_in_the_table():
    public = {getattr(pynet, name) for name in pynet.__all__}
    modules = {c for c in public if isinstance(c, type) and issubclass(c, pynet.Module)} - {pynet.Module}
    criteria = {c for c in public if isinstance(c, type) and issubclass(c, pynet.Criterion)} - {pynet.Criterion}
    assert modules == {type(case.make()) for case in MODULES}
    assert criteria == {type(case.make()) for case in CRITERIA}
