"""What holds for any network, input and gradient: properties, tried on drawn ones."""

import copy
from typing import Any, NamedTuple

import numpy as np
import pytest

import pynet

st = pytest.importorskip("hypothesis.strategies")
from own_layers import Scale, Shift, Softplus  # noqa: E402 - after the skip
from properties import holds_for  # noqa: E402

seeds, widths = st.integers(0, 2**32 - 1), st.integers(1, 40)


class Network(NamedTuple):
    """Layers by name, so that a failing example can be read; made anew at every call."""

    names: tuple[str, ...]
    width: int
    seed: int

    def layers(self):
        np.random.seed(self.seed)
        made, width = [], self.width
        for name in self.names:
            wide = int(np.random.randint(1, 40)) if name == "Linear" else width
            made.append(MAKERS[name](width, wide))
            width = wide
        return made

    def make(self):
        return pynet.Sequential(*self.layers())


MAKERS: dict[str, Any] = {
    "Linear": pynet.Linear,
    "ReLU": lambda width, wide: pynet.ReLU(),
    "LeakyReLU": lambda width, wide: pynet.LeakyReLU(0.1),
    "Sigmoid": lambda width, wide: pynet.Sigmoid(),
    "Tanh": lambda width, wide: pynet.Tanh(),
    "GELU": lambda width, wide: pynet.GELU(),
    "Mish": lambda width, wide: pynet.Mish(),
    "Hardswish": lambda width, wide: pynet.Hardswish(),
    "PReLU": lambda width, wide: pynet.PReLU(width),
    "one slope": lambda width, wide: pynet.PReLU(),
    "SoftMax": lambda width, wide: pynet.SoftMax(),
    "LogSoftMax": lambda width, wide: pynet.LogSoftMax(),
    "Dropout": lambda width, wide: pynet.Dropout(0.3),
    "BatchNorm": lambda width, wide: pynet.BatchNorm(width),
    "LayerNorm": lambda width, wide: pynet.LayerNorm(width, eps=0.1),
    "RMSNorm": lambda width, wide: pynet.RMSNorm(width, eps=0.1),
    "GroupNorm": lambda width, wide: pynet.GroupNorm(1 + width % 2 * (width - 1), width, eps=0.1),
    "Residual": lambda width, wide: pynet.Residual(pynet.Linear(width, 3), pynet.Tanh(), pynet.Linear(3, width)),
    "Parallel": lambda width, wide: pynet.Parallel(pynet.Linear(width, width), pynet.Tanh()),
    "Flatten": lambda width, wide: pynet.Flatten(),
    "Identity": lambda width, wide: pynet.Identity(),
    "Scale": lambda width, wide: Scale(width),
    "Shift": lambda width, wide: Shift(width),
    "Softplus": lambda width, wide: Softplus(),
}
OURS = sorted(set(MAKERS) - {"Parallel", "Scale", "Shift", "Softplus"})
ROW_BY_ROW = sorted(set(MAKERS) - {"BatchNorm", "Dropout"})


def networks(names=tuple(MAKERS), largest=6):
    lists = st.lists(st.sampled_from(list(names)), max_size=largest).map(tuple)
    return st.builds(Network, lists, widths, seeds)


def numbers(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def run(model, x, grad=None, accumulate=False):
    """Forward from the same random numbers, and backward where there is a gradient; all results, copied."""
    np.random.seed(3)
    y = model.forward(x)
    if grad is None:
        return y
    return [np.copy(array) for array in (y, model.backward(x, grad, accumulate=accumulate), *model.grad_parameters())]


def assert_close(got, want, rtol=1e-9):
    """By the size of the largest number, where there is cancellation."""
    size = max([1e-3, *(np.abs(array).max(initial=0) for array in want)])
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * size)


def assert_same_bits(got, want):
    assert [np.asarray(array).tobytes() for array in got] == [np.asarray(array).tobytes() for array in want]


rows = st.integers(2, 12)


@holds_for(network=networks(), rows=rows, seed=seeds, a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_backward_is_linear_in_grad_output(network, rows, seed, a, b):
    model, x = network.make(), numbers(seed, rows, network.width)
    g, h = numbers(seed + 1, 2, *run(model, x).shape)
    of_g, of_h, of_both = (run(model, x, grad)[1:] for grad in (g, h, a * g + b * h))
    assert_close(of_both, [a * first + b * second for first, second in zip(of_g, of_h, strict=True)])


@holds_for(dims=st.tuples(widths, widths), rows=rows, seed=seeds)
def test_linear_layers_add_exactly_on_whole_numbers(dims, rows, seed):
    random = np.random.default_rng(seed)
    layer = pynet.Linear(*dims)
    layer.W, layer.b = random.integers(-9, 9, dims[::-1]).astype(float), random.integers(-9, 9, dims[1]).astype(float)
    x, y = random.integers(-99, 99, (2, rows, dims[0])).astype(float)
    assert_same_bits([layer(x + y) + layer.b + 0.0], [layer(x) + layer(y) + 0.0])
    assert_same_bits([layer(-3 * x) + 0.0], [-3 * layer(x) + 4 * layer.b + 0.0])


@holds_for(
    layer=st.sampled_from([pynet.SoftMax(), pynet.LogSoftMax()]),
    shape=st.tuples(rows, widths),
    shift=st.integers(-(2**20), 2**20),
    seed=seeds,
)
def test_softmax_does_not_see_a_shift(layer, shape, shift, seed):
    x = np.random.default_rng(seed).integers(-2000, 2000, shape) / 64  # of which every shift is exact
    grad = numbers(seed + 1, *shape)
    assert_same_bits([layer.backward(x + shift, grad)], [layer.backward(x, grad)])
    if isinstance(layer, pynet.SoftMax):
        assert_same_bits([layer(x + shift)], [layer(x)])
    else:
        np.testing.assert_allclose(layer(x + shift), layer(x), rtol=1e-12)


@holds_for(network=networks(), rows=rows, seed=seeds)
def test_rows_in_another_order_give_rows_in_that_order(network, rows, seed):
    order = np.random.default_rng(seed).permutation(rows)
    model, x = network.make(), numbers(seed, rows, network.width)
    if "Dropout" in network.names:  # whose mask knows places
        model.eval()
    grad = numbers(seed + 1, *run(model, x).shape)
    y, dx, *grads = run(model, x, grad)
    assert_close(run(model, x[order], grad[order]), [y[order], dx[order], *grads])


@holds_for(network=networks(), parts=st.lists(rows, min_size=1, max_size=4), seed=seeds)
def test_accumulated_gradients_are_the_sum(network, parts, seed):
    model, other = network.make(), network.make()
    total = None
    for number, rows in enumerate(parts):
        x = numbers(seed + number, rows, network.width)
        grad = numbers(seed + 100 + number, *run(copy.deepcopy(model), x).shape)
        found = run(model, x, grad, accumulate=number > 0)[2:]
        alone = run(other, x, grad)[2:]
        total = alone if total is None else [a + b for a, b in zip(total, alone, strict=True)]
        assert_close(found, total)


@holds_for(network=networks(ROW_BY_ROW), parts=st.lists(rows, min_size=1, max_size=4), seed=seeds)
def test_gradients_of_a_batch_are_those_of_its_parts_together(network, parts, seed):
    model, x = network.make(), numbers(seed, sum(parts), network.width)
    grad = numbers(seed + 1, *run(model, x).shape)
    whole = run(model, x, grad)[2:]
    ends = np.cumsum(parts)
    for number, (end, size) in enumerate(zip(ends, parts, strict=True)):
        found = run(model, x[end - size : end], grad[end - size : end], accumulate=number > 0)[2:]
    assert_close(found, whole)


@holds_for(network=networks(largest=8), cuts=st.lists(st.integers(0, 8), max_size=3), rows=rows, seed=seeds)
def test_layers_split_into_sequentials_compute_the_same(network, cuts, rows, seed):
    layers, x = network.layers(), numbers(seed, rows, network.width)
    plain, nested = pynet.Sequential(*layers), pynet.Sequential(*copy.deepcopy(layers))
    for cut in cuts:
        nested = pynet.Sequential(nested[:cut], *nested[cut:])
    grad = numbers(seed + 1, *run(copy.deepcopy(plain), x).shape)
    assert_same_bits(run(nested, x, grad), run(plain, x, grad))


@holds_for(network=networks(), rows=rows, seed=seeds)
def test_a_state_goes_round(network, rows, seed):
    source, target, x = (
        network.make(),
        network._replace(seed=network.seed ^ 1).make(),
        numbers(seed, rows, network.width),
    )
    if [p.shape for p in source.parameters()] != [p.shape for p in target.parameters()]:
        target = network.make()  # another seed drew other widths
    for array in target.parameters():
        array += 1
    run(source, x)
    assert target.load_state_dict(source.state_dict()) == ([], [])
    assert target.state_dict().keys() == source.state_dict().keys()
    assert_same_bits(target.state_dict().values(), source.state_dict().values())
    assert_same_bits([target.eval()(x)], [source.eval()(x)])


@holds_for(network=networks(OURS), rows=rows, seed=seeds, momentum=st.sampled_from([0, 0.9]), dtype=st.booleans())
def test_a_compiled_step_computes_what_the_modules_do(network, rows, seed, momentum, dtype):
    dtype = np.float32 if dtype else np.float64
    model = network.make().astype(dtype)
    twin, x = copy.deepcopy(model), numbers(seed, rows, network.width).astype(dtype)
    target = numbers(seed + 1, *run(copy.deepcopy(model), x).shape).astype(dtype)
    criterion, optimizer = pynet.MSELoss(), pynet.optim.SGD(model, 0.01, momentum)
    step = pynet.compile_step(twin, pynet.MSELoss(), pynet.optim.SGD(twin, 0.01, momentum))
    # One slope for all does not say how many features there are.
    says = [getattr(layer, "num_parameters", 2) > 1 for layer in model if layer.parameters()]
    assert step.compiled == any(says), step.reason
    np.random.seed(3)
    output = model.forward(x)
    loss = criterion(output, target)
    model.backward(x, criterion.backward(output, target))
    gradients = [g.copy() for g in model.grad_parameters()]
    optimizer.step()
    np.random.seed(3)
    got = step(x, target, gradients=True)
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    assert_close([got, step.output], [loss, output], rtol)
    assert_close(twin.grad_parameters(), gradients, rtol)
    assert_close(twin.state_dict().values(), model.state_dict().values(), rtol)
    predict = pynet.compile_predict(twin)
    assert_close([predict(x)], [copy.deepcopy(twin).eval()(x)], rtol)


@st.composite
def views(draw):
    """Any view of an array: cut, turned, with steps of any sign."""
    axes = draw(st.integers(2, 3))
    base = numbers(draw(seeds), *[draw(st.integers(2, 9)) for _ in range(axes)])
    steps = [draw(st.sampled_from([1, -1, 2, -2])) for _ in range(axes)]
    return base.transpose(draw(st.permutations(range(axes))))[tuple(slice(None, None, step) for step in steps)]


@holds_for(name=st.sampled_from(OURS), x=views(), seed=seeds)
def test_a_view_computes_as_its_copy(name, x, seed):
    layer = pynet.Sequential(MAKERS[name](x.shape[1 if name in ("BatchNorm", "GroupNorm", "PReLU") else -1], 7))
    if name == "BatchNorm" and x.size == x.shape[1]:
        return  # one value per channel
    grad = numbers(seed, *run(copy.deepcopy(layer), x.copy()).shape)
    assert_same_bits(run(layer, x, grad), run(layer, x.copy(), np.asfortranarray(grad)))
