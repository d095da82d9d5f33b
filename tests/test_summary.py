"""summary: shapes, parameters, operations and bytes, counted by hand here."""

import copy
import re

import numpy as np
import pytest
from table import MODULES, name_of
from test_users_modules import Block, NotebookLinear

import pynet
from pynet.inspection.summary import summary
from pynet.inspection.tables import short


class Shared(pynet.Linear):
    """Holds another's weights."""

    def __init__(self, other):
        super().__init__(other.dim_in, other.dim_out)
        self.W, self.b = other.W, other.b


@pytest.mark.parametrize(
    ("layer", "shape", "forward", "backward"),
    [
        (pynet.Linear(5, 3), (7, 5), 7 * 3 * (2 * 5 + 1), 2 * 7 * 3 * 2 * 5 + 7 * 3),
        (pynet.Linear(5, 3, bias=False), (7, 2, 5), 14 * 3 * 2 * 5, 2 * 14 * 3 * 2 * 5),
        (pynet.ReLU(), (4, 5), 20, 20),
        (pynet.LeakyReLU(), (4, 5), 40, 40),
        (pynet.Sigmoid(), (10,), 40, 70),
        (pynet.Tanh(), (2, 3, 4), 24, 96),
        (pynet.ELU(), (4, 5), 80, 80),
        (pynet.SELU(), (4, 5), 80, 80),
        (pynet.GELU(), (4, 5), 80, 200),
        (pynet.SiLU(), (4, 5), 100, 180),
        (pynet.Mish(), (4, 5), 100, 220),
        (pynet.Softplus(), (4, 5), 120, 120),
        (pynet.Softsign(), (4, 5), 60, 80),
        (pynet.Hardtanh(), (4, 5), 40, 40),
        (pynet.ReLU6(), (4, 5), 40, 40),
        (pynet.Hardsigmoid(), (4, 5), 80, 60),
        (pynet.Hardswish(), (4, 5), 100, 120),
        (pynet.LogSigmoid(), (4, 5), 100, 80),
        (pynet.PReLU(5), (4, 5), 40, 80),
        (pynet.Activation(np.sin, np.cos), (4, 5), 20, 40),
        (pynet.SoftMax(), (4, 5), 100, 180),
        (pynet.LogSoftMax(), (4, 5), 100, 160),
        (pynet.Dropout(), (4, 5), 20, 20),
        (pynet.Dropout().eval(), (4, 5), 0, 0),
        (pynet.BatchNorm(5), (4, 5), 20 * (4 + 4), 20 * (4 + 5 + 4)),
        (pynet.BatchNorm(5, affine=False), (4, 5), 20 * (4 + 2), 20 * (4 + 5 + 4)),
        (pynet.BatchNorm(5).eval(), (4, 5), 20 * 4, 20 * 6),
        (pynet.BatchNorm(5, affine=False).eval(), (4, 5), 20 * 2, 20),
        (pynet.LayerNorm(5), (4, 5), 20 * (4 + 2 + 2), 20 * (4 + 2 + 1 + 3 + 4 + 3)),
        (pynet.LayerNorm(5, bias=False), (4, 5), 20 * (4 + 2 + 1), 20 * (4 + 2 + 1 + 3 + 4 + 2)),
        (pynet.LayerNorm(5, elementwise_affine=False), (4, 5), 20 * (4 + 2), 20 * (4 + 2 + 3 + 4)),
        (pynet.RMSNorm(5), (4, 5), 20 * (2 + 1 + 1), 20 * (2 + 1 + 1 + 2 + 3 + 2)),
        (pynet.RMSNorm(5, elementwise_affine=False), (4, 5), 20 * (2 + 1), 20 * (2 + 1 + 2 + 3)),
        (pynet.GroupNorm(2, 4), (5, 4), 20 * (4 + 2 + 2), 20 * (4 + 2 + 1 + 3 + 4 + 3)),
        (pynet.GroupNorm(2, 4, affine=False), (5, 4), 20 * (4 + 2), 20 * (4 + 2 + 3 + 4)),
        (pynet.Embedding(10, 3), (4, 5), 0, 20 * 3),
        (pynet.Residual(), (4, 5), 20, 20),
        (pynet.Module(), (4, 5), 0, 0),
    ],
    ids=repr,
)
def test_operations_are_those_of_the_formulas(layer, shape, forward, backward):
    assert layer.flops(shape) == (forward, backward)


@pytest.mark.parametrize("case", MODULES, ids=name_of)
def test_every_layer_says_what_it_costs(case):
    module = case.module()
    moves_alone = pynet.Columns | pynet.Embedding | pynet.Flatten | pynet.Identity | pynet.Reshape | pynet.Unflatten
    is_free = isinstance(module, pynet.Sequential | pynet.Parallel | moves_alone) or (
        isinstance(module, pynet.Dropout) and not module.training
    )
    assert (min(module.flops(case.shape)) > 0) == (not is_free)
    assert summary(module, case.shape).rows[0].output_shape == module.forward(case.input()).shape


def test_rows_and_totals_are_what_pencil_and_paper_give():
    model = pynet.Sequential(
        pynet.Linear(784, 64), pynet.ReLU(), pynet.Sequential(pynet.Linear(64, 10), pynet.SoftMax())
    )
    found = summary(model, (32, 784))
    assert [row.place for row in found.rows] == ["", "0", "1", "2", "2.0", "2.1"]
    assert [row.layer for row in found.rows] == [
        "Sequential",
        "Linear(784, 64)",
        "ReLU()",
        "Sequential",
        "Linear(64, 10)",
        "SoftMax()",
    ]
    assert [row.depth for row in found.rows] == [0, 1, 1, 1, 2, 2]
    assert [row.output_shape for row in found.rows] == [(32, 10), (32, 64), (32, 64), (32, 10), (32, 10), (32, 10)]
    assert [row.parameters for row in found.rows] == [0, 785 * 64, 0, 0, 65 * 10, 0]
    linear = [32 * 64 * (2 * 784 + 1), 32 * 10 * (2 * 64 + 1)]
    assert [row.flops for row in found.rows] == [0, linear[0], 32 * 64, 0, linear[1], 5 * 320]
    first, second = 8 * (32 * 784 + 785 * 64 + 32 * 64), 8 * (32 * 64 + 65 * 10 + 32 * 10)
    assert [row.bytes for row in found.rows] == [0, first, 8 * 2 * 32 * 64, 0, second, 8 * 2 * 320]
    assert found.parameters == 785 * 64 + 65 * 10
    assert found.flops == sum(linear) + 32 * 64 + 5 * 320
    assert found.bytes == sum(row.bytes for row in found.rows)


def test_shared_arrays_and_modules_that_stand_twice_count_once():
    linear, relu = pynet.Linear(4, 4), pynet.ReLU()
    found = summary(pynet.Sequential(linear, relu, Shared(linear), linear, relu), (2, 4))
    assert found.parameters == 20
    assert [(row.place, row.calls, row.parameters) for row in found.rows[1:]] == [
        ("0", 2, 20),
        ("1", 2, 0),
        ("2", 1, 20),
    ]
    assert found.rows[1].flops == 2 * linear.flops((2, 4))[0]


def test_a_users_modules_have_rows_and_a_question_mark_for_what_they_do_not_say():
    class Counted(NotebookLinear):
        def flops(self, input_shape):
            return 123, 456

    found = summary(pynet.Sequential(Block(4), Counted(4, 3)), 4)
    assert found.input_shape == (1, 4)
    rows = {row.place: row for row in found.rows}
    assert list(rows) == ["", "0", "0.first", "0.rest.0", "0.rest.1", "1"]
    assert [rows[place].flops for place in ("0", "0.rest.1", "1")] == [0, 0, 123]
    assert [rows[place].parameters for place in ("0", "0.first", "0.rest.1", "1")] == [0, 20, 20, 15]
    assert [rows[place].depth for place in rows] == [0, 1, 2, 2, 2, 1]
    line = next(line for line in str(found).splitlines() if "0.rest.1" in line)
    assert line.split() == ["0.rest.1", "NotebookLinear()", "(1,", "4)", "20", "?", "224"]


def flops_column(model):
    lines = [line for line in str(summary(model, (32, 4))).splitlines() if not line.startswith("-")]
    end = lines[0].index("FLOPs") + len("FLOPs")
    return [re.split(r"  +", line[:end])[-1] for line in lines[1:]]


class Halves(pynet.Module):
    """Says what it does element by element."""

    operations = (1, 1)

    def forward(self, input):
        return input / 2

    def backward(self, input, grad_output):
        return grad_output / 2


class Named(pynet.Identity):
    pass


def test_a_total_that_leaves_out_what_nobody_says_is_marked():
    linear = pynet.Linear(4, 3)
    assert flops_column(pynet.Sequential(linear, NotebookLinear(3, 2))) == ["-", "864", "?", "864 + ?"]
    assert flops_column(NotebookLinear(4, 2)) == ["?", "?"]
    said = pynet.Sequential(linear, Halves(), Named(), pynet.Dropout())
    assert flops_column(said) == ["-", "864", "96", "-", "-", "960"]


def test_a_users_container_counts_as_silent_only_if_it_has_parameters_of_its_own():
    class Scaled(Block):
        parameter_names = ("scale",)

        def __init__(self):
            super().__init__(4)
            self.rest, self.scale, self.grad_scale = [], np.ones(4), np.zeros(4)

        def forward(self, input):
            return self.first.forward(input) * self.scale

    plain, scaled = Block(4), Scaled()
    plain.rest = [pynet.Tanh()]
    assert flops_column(plain)[0] == "-"
    assert not flops_column(plain)[-1].endswith("?")
    assert flops_column(scaled)[0] == "?"
    assert flops_column(scaled)[-1].endswith("+ ?")


def test_the_table_lines_up():
    text = str(summary(pynet.Sequential(pynet.Linear(784, 64), pynet.Tanh()), (32, 784)))
    lines = text.splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "FLOPs", "bytes"]
    assert lines[3].split() == ["0", "Linear(784,", "64)", "(32,", "64)", "50,240", "3.21", "M", "619", "k"]
    assert lines[3].startswith("  0  Linear")
    assert lines[-1].startswith("total, input (32, 784)")
    assert len({len(line) for line in lines}) == 1
    assert repr(summary(pynet.ReLU(), 3)) == str(summary(pynet.ReLU(), 3))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "-"), (7, "7"), (999, "999"), (1000, "1 k"), (999_499, "999 k"), (999_600, "1 M"), (2.5e9, "2.5 G")],
)
def test_numbers_have_three_digits(value, text):
    assert short(value) == text


def everything_in(model):
    layers = [{name: value for name, value in vars(layer).items() if name != "_random"} for layer in model]
    return layers, np.random.get_state()


def test_the_model_and_the_random_state_stay_as_they_were():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3), pynet.Dropout(), NotebookLinear(3, 2))
    model.forward(np.ones((2, 4)))
    before, output = copy.deepcopy(everything_in(model)), model.output
    summary(model, (1, 4))
    np.testing.assert_equal(everything_in(model), before)
    assert model.output is output
    assert model.training


def test_the_dtype_is_the_models_or_the_one_given():
    assert summary(pynet.Linear(4, 3, dtype=np.float32), (2, 4)).bytes == 4 * (8 + 15 + 6)
    assert summary(pynet.Linear(4, 3, dtype=np.float32), (2, 4), np.float64).bytes == 8 * 8 + 4 * (15 + 6)
    assert summary(pynet.ReLU(), (2, 4), "float32").bytes == 4 * 16


def test_errors_are_the_layers_own():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.Linear(2, 2))
    with pytest.raises(pynet.ShapeError, match=r"Linear\(2, 2\): input has 3 features, expected 2") as caught:
        summary(model, (5, 4))
    assert caught.value.__notes__ == ["in layer 1 of Sequential: Linear(2, 2)"]
    for wrong in (-1, (2, 1.5), "ab", (2, -3)):
        with pytest.raises((TypeError, ValueError), match="input_shape"):
            summary(model, wrong)
    with pytest.raises(TypeError, match="model must be a module"):
        summary(pynet.MSE(), 4)
