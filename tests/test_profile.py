"""profile: what it counts is right, what it measures is consistent; how long things take is not asserted."""

import copy

import numpy as np
import pytest
from test_users_modules import Block, NotebookLinear

import pynet
from pynet.inspection import profiling
from pynet.inspection.profiling import Machine, profile

x = np.random.default_rng(1).normal(size=(6, 4))


measure_machine = profiling._measure_machine


@pytest.fixture(autouse=True)
def a_known_machine(monkeypatch):
    """Measuring the machine takes longer than all these tests."""
    monkeypatch.setattr(profiling, "_measure_machine", lambda dtype: Machine(1e9, 1e8, 2, dtype))


def network():
    relu = pynet.ReLU()
    inner = pynet.Sequential(relu, Block(3))
    return pynet.Sequential(pynet.Linear(4, 3), relu, inner, pynet.Dropout(0.3), NotebookLinear(3, 2))


def test_every_leaf_has_a_row_that_counts_all_its_calls():
    found = profile(network(), x, repeats=2)
    assert [row.place for row in found.rows] == ["0", "1", "2.1.first", "2.1.rest.0", "2.1.rest.1", "3", "4"]
    assert [row.layer for row in found.rows][:3] == ["0  Linear(4, 3)", "1  ReLU()", "2.1.first  Linear(3, 3)"]
    linear, relu, dropout = found.rows[0], found.rows[1], found.rows[5]
    assert (linear.forward.flops, linear.backward.flops) == (6 * 3 * 9, 6 * 3 * 17)
    assert linear.forward.bytes == 8 * (24 + 15 + 18)
    assert linear.backward.bytes == 8 * (24 + 18 + 24 + 2 * 15)
    assert (relu.forward.flops, relu.backward.flops) == (2 * 18, 2 * 18)
    assert (relu.forward.bytes, relu.backward.bytes) == (2 * 8 * 36, 2 * 8 * 54)
    assert dropout.forward.flops == 18
    assert found.rows[-1].forward.flops == 0


def test_figures_follow_from_each_other():
    found = profile(network(), x, repeats=3)
    for row in [*found.rows, found.total]:
        assert row.forward.seconds > 0
        assert row.backward.seconds > 0
        assert row.seconds == row.forward.seconds + row.backward.seconds
        assert row.gflops == pytest.approx((row.forward.flops + row.backward.flops) / row.seconds / 1e9)
        assert row.gigabytes == pytest.approx((row.forward.bytes + row.backward.bytes) / row.seconds / 1e9)
        assert row.share == pytest.approx((row.forward.floor + row.backward.floor) / row.seconds)
    for name in ("flops", "bytes", "floor"):
        for direction in ("forward", "backward"):
            parts = sum(getattr(getattr(row, direction), name) for row in found.rows)
            assert getattr(getattr(found.total, direction), name) == pytest.approx(parts)


def test_the_floor_is_the_larger_of_computing_and_moving():
    machine = Machine(peak=100.0, bandwidth=10.0, threads=1, dtype=np.dtype(np.float64))
    assert machine.floor(flops=200, bytes=10) == 2
    assert machine.floor(flops=200, bytes=50) == 5
    (row,) = profile(pynet.ReLU(), x, repeats=1).rows
    assert row.forward.floor == pytest.approx(max(24 / 1e9, 2 * 24 * 8 / 1e8))


@pytest.mark.parametrize(
    ("floor", "text"), [(0.0, "0%"), (0.5, "50%"), (1.004, "100%"), (1.006, ">100%"), (17.97, ">100%")]
)
def test_what_is_faster_than_the_floor_is_more_than_all_of_it(floor, text):
    forward, backward = profiling.Direction(0.5, 1, 1, floor), profiling.Direction(0.5, 1, 1, 0.0)
    row = profiling.Row("0", "0  Dropout()", forward, backward)
    assert row.share == floor
    table = str(profiling.Profile([row], row, Machine(1e9, 1e8, 2, np.dtype(np.float64))))
    assert [line.split()[-1] for line in table.splitlines() if "Dropout" in line] == [text] * 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_machine_is_measured_in_the_models_dtype_and_shown(dtype, monkeypatch):
    monkeypatch.setattr(profiling, "_measure_machine", measure_machine)
    pynet.set_num_threads(1)
    found = profile(pynet.Linear(4, 3, dtype=dtype), x, repeats=1)
    assert found.machine.peak > 0
    assert found.machine.bandwidth > 0
    assert (found.machine.threads, found.machine.dtype) == (1, dtype)
    first, header, _, row, _, total = str(found).splitlines()
    assert first.startswith(f"1 thread, {np.dtype(dtype)}: peak ")
    assert "GFLOP/s" in first
    assert "GB/s" in first
    assert header.startswith("layer")
    assert row.startswith("Linear(4, 3")
    assert total.startswith("total")
    assert row.endswith("%")


def test_calls_are_repeated_as_often_as_asked(monkeypatch):
    calls = []

    class Counting(pynet.ReLU):
        def forward(self, input):
            calls.append("forward")
            return super().forward(input)

        def backward(self, input, grad_output, accumulate=False):
            calls.append("backward")
            return super().backward(input, grad_output, accumulate)

    profile(Counting(), x, repeats=5)
    # Once to know the output, once with hooks, then each measurement with one call more to warm up: the forward's, the
    # backward's with a forward before it, and the model's own.
    assert calls.count("forward") == 2 + 3 * 6
    assert calls.count("backward") == 1 + 2 * 6
    calls.clear()
    profile(Counting(), x)
    assert 3 * 3 < calls.count("forward") <= 2 + 3 * 201


def test_a_leaf_that_is_never_called_has_no_row():
    class Picky(Block):
        def forward(self, input):
            return self.first.forward(input)

        def backward(self, input, grad_output):
            return self.first.backward(input, grad_output)

    assert [row.place for row in profile(Picky(4), x, repeats=1).rows] == ["first"]


def test_a_users_backward_that_goes_forward_again_is_not_counted_twice():
    rows = {row.place: row for row in profile(Block(4), x, repeats=1).rows}
    assert rows["first"].forward.flops == pynet.Linear(4, 4).flops(x.shape)[0]


def test_the_gradient_given_is_used():
    seen = []

    class Watching(pynet.ReLU):
        def backward(self, input, grad_output, accumulate=False):
            seen.append(grad_output)
            return super().backward(input, grad_output, accumulate)

    profile(Watching(), x, grad_output=3 * x, repeats=1)
    assert all(np.array_equal(grad, 3 * x) for grad in seen)
    seen.clear()
    profile(Watching(), x, repeats=1)
    assert all(np.array_equal(grad, np.ones_like(x)) for grad in seen)


def test_the_model_and_the_random_state_stay_as_they_were():
    model = network()
    model.forward(x)
    model.backward(x, np.ones((6, 2)))
    before = copy.deepcopy([p.copy() for p in model.grad_parameters()]), np.random.get_state()
    keys, output = [vars(layer).keys() for layer in model], model.output
    profile(model, 2 * x, repeats=1)
    np.testing.assert_equal((model.grad_parameters(), np.random.get_state()), before)
    assert [vars(layer).keys() for layer in model] == keys
    assert model.output is output


def test_modes_are_the_models():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.Dropout())
    assert profile(model, x, repeats=1).rows[1].forward.flops == 18
    assert profile(model.eval(), x, repeats=1).rows[1].forward.flops == 0


def test_errors_are_the_layers_own():
    with pytest.raises(pynet.ShapeError, match=r"Linear\(3, 2\): input has 4 features"):
        profile(pynet.Linear(3, 2), x)
    with pytest.raises(pynet.ShapeError, match="grad_output"):
        profile(pynet.Linear(4, 2), x, grad_output=np.ones((6, 3)))
    for wrong in (0, 1.5, -2):
        with pytest.raises((TypeError, ValueError), match="repeats"):
            profile(pynet.ReLU(), x, repeats=wrong)
    with pytest.raises(TypeError, match="model must be a module"):
        profile(pynet.MSE(), x)
