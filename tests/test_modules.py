"""What holds for every module: one function over the table each."""

import copy
import pickle

import numpy as np
import pytest
from table import MODULES, Case, name_of

import pynet
from pynet.testing import gradcheck

each_module = pytest.mark.parametrize("case", MODULES, ids=name_of)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def layouts(x):
    """The same numbers as they may lie in memory, none of them as a kernel wants them."""
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    yield "strided", wide[..., ::2]
    yield "reversed", np.ascontiguousarray(x[::-1])[::-1]
    yield "Fortran", np.asfortranarray(x)
    yield "byte-swapped", x.astype(x.dtype.newbyteorder(">"))
    raw = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:]
    yield "misaligned", raw.view(x.dtype).reshape(x.shape)
    frozen = x.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen
    if x.shape[0] == 1:
        wild = (12345 * x.itemsize, *x.strides[1:])
        yield "wild stride", np.lib.stride_tricks.as_strided(x, x.shape, wild)


def run(case, module, x, grad):
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


@each_module
@each_dtype
def test_forward_equals_numpy(case: Case, dtype):
    module, x = case.module(dtype), case.input(dtype)
    y = module.forward(x)
    expected = case.reference(copy.deepcopy(module) if len(module.named_buffers()) else module, x.astype(np.float64))
    np.testing.assert_allclose(
        y, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6 if dtype == np.float32 else 1e-13
    )
    assert y.dtype == dtype
    assert module.output is y


@each_module
def test_gradients_equal_finite_differences(case: Case):
    module = case.module()
    report = gradcheck(module, case.input(), atol=1e-8, rtol=1e-6)
    sizes = [case.input().size, *(p.size for p in module.parameters())]
    assert report.checked == sum(sizes)


@each_module
@each_dtype
def test_dtypes_follow_the_parameters_or_the_input(case: Case, dtype):
    x, grad = case.input(dtype), grad_for(case, dtype)
    assert {array.dtype for array in run(case, case.module(dtype), x, grad)} == {np.dtype(dtype)}


@each_module
@each_dtype
def test_any_layout_gives_the_same_bits(case: Case, dtype):
    x, grad = case.input(dtype), grad_for(case, dtype)
    expected = run(case, case.module(dtype), x, grad)
    for (name, odd_x), (_, odd_grad) in zip(layouts(x), layouts(grad), strict=False):
        for got, want in zip(run(case, case.module(dtype), odd_x, odd_grad), expected, strict=True):
            assert got.tobytes() == want.tobytes(), name


@each_module
def test_a_broadcast_gradient_gives_the_same_bits(case: Case):
    x, grad = case.input(), grad_for(case)
    stretched = np.broadcast_to(np.float64(1.5), grad.shape)
    for got, want in zip(
        run(case, case.module(), x, stretched), run(case, case.module(), x, stretched.copy()), strict=True
    ):
        assert got.tobytes() == want.tobytes()


@each_module
def test_inputs_and_parameters_are_unchanged(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    before = x.tobytes(), grad.tobytes(), [p.tobytes() for p in module.parameters()]
    run(case, module, x, grad)
    assert (x.tobytes(), grad.tobytes(), [p.tobytes() for p in module.parameters()]) == before


@each_module
def test_arrays_keep_their_identity(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    before = [*module.parameters(), *module.grad_parameters()]
    run(case, module, x, grad)
    after = [*module.parameters(), *module.grad_parameters()]
    assert all(a is b for a, b in zip(before, after, strict=True))


@each_module
def test_gradients_overwrite_and_on_request_accumulate(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    once = [g.copy() for g in run(case, module, x, grad)[2:]]
    again = [g.copy() for g in run(case, module, x, grad)[2:]]
    module.backward(x, grad, accumulate=True)
    for first, second, third in zip(once, again, module.grad_parameters(), strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(third, 2 * first, rtol=1e-12, atol=1e-14)
    module.zero_grad()
    assert all(not g.any() for g in module.grad_parameters())


@each_module
def test_a_wrong_grad_output_raises_and_changes_nothing(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    run(case, module, x, grad)
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
    assert snapshot(module) == before
    assert np.random.get_state()[1].tobytes() == random


@each_module
def test_other_numbers_are_converted(case: Case):
    whole = np.round(case.input() * 3)
    expected = run(case, case.module(), whole, grad_for(case))
    for other in (
        whole.astype(np.int8),
        whole.astype(np.longdouble),
        whole.astype(np.float16),
        whole.tolist(),
        whole.view(np.matrix) if whole.ndim == 2 else whole,
    ):
        for got, want in zip(run(case, case.module(), other, grad_for(case).tolist()), expected, strict=True):
            assert type(got) is np.ndarray
            np.testing.assert_array_equal(got, want)


@each_module
def test_a_backward_at_another_input_is_right_there(case: Case):
    module, x, grad = case.module(), case.input(), grad_for(case)
    np.random.seed(5)
    module.forward(x + 1)
    outputs = [layer.output for layer in module] if isinstance(module, pynet.Sequential) else []
    buffers = [array.copy() for _, array in module.named_buffers()]
    got = [module.backward(x, grad), *[g.copy() for g in module.grad_parameters()]]
    for (_, now), before in zip(module.named_buffers(), buffers, strict=True):
        np.testing.assert_array_equal(now, before)
    assert all(layer.output is before for layer, before in zip(outputs and module, outputs, strict=True))
    for a, b in zip(got, run(case, case.module(), x, grad)[1:], strict=True):
        np.testing.assert_array_equal(a, b)


@each_module
@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, *(lambda m, p=p: pickle.loads(pickle.dumps(m, p)) for p in range(2, 6))]
)
def test_copies_and_pickles_compute_the_same(case: Case, clone):
    module, x = case.module(), case.input()
    module.forward(x)
    other = clone(module)
    assert other.output is None
    assert repr(other) == repr(module)
    assert other.training == module.training
    if clone is not copy.copy:
        assert not any(np.shares_memory(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    module = clone(module)
    for got, want in zip(run(case, other, x, grad_for(case)), run(case, module, x, grad_for(case)), strict=True):
        np.testing.assert_array_equal(got, want)


@each_module
def test_zero_rows_go_through(case: Case):
    module, x = case.module(), case.input()[:0]
    if any(isinstance(m, pynet.BatchNorm) for m in [module, *getattr(module, "layers", [])]) and case.training:
        with pytest.raises(ValueError, match="training"):
            module.forward(x)
        return
    y = module.forward(x)
    for gradient in module.grad_parameters():
        gradient.fill(7)  # to be overwritten with zeros
    dx = module.backward(x, np.zeros(y.shape))
    assert y.shape[0] == 0
    assert dx.shape == x.shape
    assert all(not g.any() for g in module.grad_parameters())


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
def test_state_round_trips(case: Case):
    source, target = case.module(), case.make().train(case.training)
    result = target.load_state_dict(source.state_dict())
    assert result == ([], [])
    for name, array in target.state_dict().items():
        np.testing.assert_array_equal(array, source.state_dict()[name])
    kept = [p.copy() for p in source.parameters()]
    for array in source.state_dict().values():
        array += 1
    assert all((a == b).all() for a, b in zip(source.parameters(), kept, strict=True))


@pytest.mark.parametrize("case", [case for case in MODULES if len(case.shape) > 1], ids=name_of)
def test_rows_one_by_one_give_the_batch(case: Case):
    module, x = case.module().eval(), case.input()
    rows = np.concatenate([module.forward(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(rows, module.forward(x), rtol=1e-14, atol=1e-15)


def test_every_public_module_and_criterion_is_in_the_table():
    from table import CRITERIA

    public = {getattr(pynet, name) for name in pynet.__all__}
    modules = {c for c in public if isinstance(c, type) and issubclass(c, pynet.Module)} - {pynet.Module}
    criteria = {c for c in public if isinstance(c, type) and issubclass(c, pynet.Criterion)} - {pynet.Criterion}
    assert modules == {type(case.make()) for case in MODULES}
    assert criteria == {type(case.make()) for case in CRITERIA}
