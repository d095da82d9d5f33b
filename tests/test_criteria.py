"""What holds for every criterion, and what each of them promises."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from table import CRITERIA, LABELS, ONE_HOT, Loss, cross_entropy_loss, name_of

import pynet
from pynet.testing import gradcheck
from pynet.testing.layouts import layouts, plain

each_criterion = pytest.mark.parametrize("case", CRITERIA, ids=name_of)
each_scalar = pytest.mark.parametrize("case", [c for c in CRITERIA if "none" not in repr(c.make())], ids=name_of)


@each_criterion
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_equals_numpy(case: Loss, dtype):
    criterion = case.make()
    loss = criterion.forward(case.input.astype(dtype), case.target)
    np.testing.assert_allclose(
        loss, case.reference(criterion, case.input, case.target), rtol=1e-5 if dtype == np.float32 else 1e-12
    )
    assert loss.dtype == dtype
    assert isinstance(loss, dtype if "none" not in repr(criterion) else np.ndarray)
    assert criterion.output is loss
    assert criterion(case.input.astype(dtype), case.target) == pytest.approx(loss)


def results(criterion, x, target):
    """Loss and gradient."""
    return [np.array(criterion.forward(x, target)), criterion.backward(x, target)]


@each_criterion
def test_gradients_equal_finite_differences_in_every_layout_of_input_and_target(case: Loss):
    criterion = case.make()
    inputs, targets = ({"contiguous": array} | layouts(array) for array in (case.input, case.target))
    expected = {}
    for names in itertools.product({"contiguous", "0-stride"} & set(inputs), {"contiguous", "0-stride"} & set(targets)):
        x, target = plain(inputs[names[0]]), plain(targets[names[1]])
        assert gradcheck(criterion, x, target, atol=1e-8, rtol=1e-6).checked == x.size
        expected[names] = [array.tobytes() for array in results(criterion, x, target)]
    for (x_name, x), (target_name, target) in itertools.product(inputs.items(), targets.items()):
        want = expected[tuple("0-stride" if name == "0-stride" else "contiguous" for name in (x_name, target_name))]
        for got, bits in zip(results(criterion, x, target), want, strict=True):
            assert got.tobytes() == bits, (x_name, target_name)


@each_criterion
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_keep_the_dtype_and_are_kept(case: Loss, dtype):
    criterion = case.make()
    gradient = criterion.backward(case.input.astype(dtype), case.target)
    assert criterion.grad_output is gradient
    assert gradient.dtype == dtype


@each_criterion
def test_any_dtype_of_the_target_gives_the_same_bits(case: Loss):
    criterion = case.make()
    want = results(criterion, case.input, case.target)
    small = case.target.astype(np.int32) if case.target.dtype.kind == "i" else case.target.astype(np.longdouble)
    for target in (case.target.tolist(), small):
        got = results(criterion, case.input, target)
        assert [a.tobytes() for a in got] == [a.tobytes() for a in want]


@each_criterion
def test_neither_input_nor_target_is_written_into(case: Loss):
    x, target = case.input.copy(), case.target.copy()
    results(case.make(), x, target)
    np.testing.assert_array_equal(x, case.input)
    np.testing.assert_array_equal(target, case.target)


@each_criterion
def test_wrong_shapes_raise(case: Loss):
    criterion = case.make()
    for call in (criterion.forward, criterion.backward):
        for target in (case.target[:-1], case.target[None], 0.5):
            with pytest.raises(ValueError, match=r"target has"):
                call(case.input, target)
        with pytest.raises(ValueError, match="empty batch"):
            call(case.input[:0], case.target[:0])
        with pytest.raises(TypeError, match="target"):
            call(case.input, case.target.astype(complex))
        with pytest.raises(TypeError, match="input"):
            call(case.input.astype(str), case.target)


@each_criterion
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_compute_the_same(case: Loss, clone):
    criterion = case.make()
    criterion.forward(case.input, case.target)
    other = clone(criterion)
    assert other.output is None
    assert repr(other) == repr(criterion)
    np.testing.assert_array_equal(other.forward(case.input, case.target), criterion.forward(case.input, case.target))


@each_scalar
def test_the_sum_of_the_losses_does_not_drift_in_float32(case: Loss):
    criterion = case.make()
    repeat = 20_001
    x, t = (
        np.tile(case.input, (repeat, *[1] * (case.input.ndim - 1))),
        np.tile(case.target, (repeat, *[1] * (case.target.ndim - 1))),
    )
    once = float(criterion.forward(case.input.astype(np.float32), case.target))
    many = float(criterion.forward(x.astype(np.float32), t))
    assert many == pytest.approx(once * (repeat if "sum" in repr(criterion) else 1), rel=1.2e-7)


def test_a_flat_target_against_a_column_says_what_to_write():
    with pytest.raises(pynet.ShapeError, match=r"target\[:, None\]"):
        pynet.MSE().forward(np.ones((3, 1)), np.ones(3))


@pytest.mark.parametrize("criterion", [pynet.CrossEntropy(), pynet.CrossEntropyLoss()])
@pytest.mark.parametrize("label", [-1, 3, 2**62, -(2**63)])
def test_a_label_that_is_no_class_is_named_with_its_row(criterion, label):
    target = LABELS.copy()
    target[3] = label
    for call in (criterion.forward, criterion.backward):
        with pytest.raises(ValueError, match=rf"label {label} in row 3, expected 0 to 2"):
            call(np.full((5, 3), 1 / 3), target)


@pytest.mark.parametrize("criterion", [pynet.CrossEntropy(), pynet.CrossEntropyLoss()])
def test_labels_must_be_integers(criterion):
    x = np.full((5, 3), 1 / 3)
    with pytest.raises(pynet.ShapeError, match="integer labels"):
        criterion.forward(x, LABELS.astype(float))
    with pytest.raises(pynet.ShapeError, match=r"shape \(5, 1\), expected \(5, 3\) as input, or .* target\[:, 0\]"):
        criterion.forward(x, LABELS[:, None])
    with pytest.raises(TypeError, match="bool"):
        criterion.forward(x, LABELS > 0)
    with pytest.raises(ValueError, match="no class"):
        criterion.forward(x, np.full(5, 2**64 - 1, np.uint64))
    with pytest.raises(pynet.ShapeError, match="2 axes"):
        criterion.forward(x[0], LABELS)


def test_a_column_against_a_flat_target_says_what_to_write_too():
    with pytest.raises(pynet.ShapeError, match=r"target\[:, 0\]"):
        pynet.MSE().forward(np.ones(3), np.ones((3, 1)))


@pytest.mark.parametrize("criterion", [pynet.MSE(), pynet.MSELoss(), pynet.MSELoss("sum")])
def test_squares_are_taken_of_any_number_of_axes(criterion):
    x, target = np.random.default_rng(0).normal(size=(2, 2, 3, 1, 4))
    divisor = {"MSE()": 2, "MSELoss()": 24}.get(repr(criterion), 1)
    assert criterion.forward(x, target) == pytest.approx(np.sum((x - target) ** 2) / divisor, rel=1e-12)
    assert gradcheck(criterion, x, target).checked == 24


def test_zero_features_cost_nothing():
    assert pynet.MSE().forward(np.zeros((3, 0)), np.zeros((3, 0))) == 0
    assert pynet.MSELoss("sum").backward(np.zeros((3, 0)), np.zeros((3, 0))).shape == (3, 0)


def test_an_ignored_row_may_hold_anything():
    x = np.array([[np.nan, np.inf, 1.0], [0.0, 0.0, 0.0]])
    criterion = pynet.CrossEntropyLoss()
    assert criterion.forward(x, [-100, 1]) == pytest.approx(np.log(3))
    np.testing.assert_allclose(criterion.backward(x, [-100, 1]), [[0, 0, 0], [1 / 3, -2 / 3, 1 / 3]])


def test_cross_entropy_clips_as_the_notebook_does():
    p = np.array([[0.0, 1.0], [1.0, 0.0]])
    wrong = np.array([[1.0, 0.0], [1.0, 0.0]])
    criterion = pynet.CrossEntropy()
    assert criterion.forward(p, wrong) == pytest.approx(-(np.log(1e-9) + np.log(1 - 1e-9)) / 2, rel=1e-12)
    np.testing.assert_allclose(criterion.backward(p, wrong), [[-1e15 / 2, 0], [-0.5, 0]], rtol=1e-12)
    assert np.isnan(criterion.forward(np.array([[np.nan, 1.0]]), np.array([0])))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_loss_is_exact_at_any_scale(dtype):
    criterion = pynet.CrossEntropyLoss()
    equal = np.full((1, 4), 1e8, dtype)
    assert criterion.forward(equal, [2]) == pytest.approx(np.log(4), rel=1e-7)
    certain = np.array([[0.0, 18.0]], dtype)
    assert criterion.forward(certain, [1]) == pytest.approx(np.log1p(np.exp(-18.0)), rel=3e-7)
    assert criterion.forward(certain, [0]) == pytest.approx(18 + np.log1p(np.exp(-18.0)), rel=1e-7)
    np.testing.assert_allclose(criterion.backward(certain, [1]), [[1.52e-8, -1.52e-8]], rtol=0.01)
    impossible = np.array([[0.0, -np.inf]], dtype)
    assert criterion.forward(impossible, [0]) == 0
    np.testing.assert_array_equal(criterion.backward(impossible, [0]), [[0, 0]])


def test_cross_entropy_loss_refuses_a_mean_over_nothing():
    x, ignored = np.zeros((2, 3)), np.array([-100, -100])
    with pytest.raises(ValueError, match="no row that counts"):
        pynet.CrossEntropyLoss().forward(x, ignored)
    assert pynet.CrossEntropyLoss(reduction="sum").forward(x, ignored) == 0
    assert not pynet.CrossEntropyLoss(reduction="sum").backward(x, ignored).any()


def test_any_label_can_be_ignored():
    criterion = pynet.CrossEntropyLoss(ignore_index=2)
    x = np.random.normal(size=(5, 3))
    assert criterion.forward(x, LABELS) == pytest.approx(cross_entropy_loss(criterion, x, LABELS))
    assert not criterion.backward(x, LABELS)[LABELS == 2].any()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"reduction": "average"}, ValueError),
        ({"label_smoothing": 1.5}, ValueError),
        ({"label_smoothing": np.nan}, ValueError),
        ({"label_smoothing": "0.1"}, TypeError),
        ({"weight": [1, -1, 1]}, ValueError),
        ({"weight": [1, np.nan, 1]}, ValueError),
        ({"weight": [1, np.inf, 1]}, ValueError),
        ({"weight": [[1, 1, 1]]}, ValueError),
        ({"ignore_index": 2**70}, ValueError),
        ({"weight": "abc"}, TypeError),
        ({"ignore_index": 1.5}, TypeError),
    ],
)
def test_wrong_options_raise(options, error):
    with pytest.raises(error, match=next(iter(options))):
        pynet.CrossEntropyLoss(**options)


def test_a_weight_must_have_one_entry_per_class():
    with pytest.raises(pynet.ShapeError, match="weight"):
        pynet.CrossEntropyLoss(weight=[1.0, 2.0]).forward(np.zeros((5, 3)), LABELS)


def test_softmax_and_cross_entropy_together_give_the_loss_from_scores():
    scores = np.random.normal(size=(5, 3))
    layer, criterion, fused = pynet.SoftMax(), pynet.CrossEntropy(), pynet.CrossEntropyLoss()
    p = layer.forward(scores)
    assert criterion.forward(p, ONE_HOT) == pytest.approx(fused.forward(scores, ONE_HOT))
    np.testing.assert_allclose(
        layer.backward(scores, criterion.backward(p, ONE_HOT)), fused.backward(scores, ONE_HOT), rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize(
    ("criterion", "labels"),
    [
        (pynet.MSE(), False),
        (pynet.MSELoss(), False),
        (pynet.MSELoss("sum"), False),
        (pynet.CrossEntropy(), True),
        (pynet.CrossEntropyLoss(), True),
        (pynet.CrossEntropyLoss([1.0, 2.0, 0.5], ignore_index=1, label_smoothing=0.1), True),
        (pynet.CrossEntropyLoss(reduction="sum"), True),
    ],
    ids=repr,
)
def test_row_losses_add_up_to_the_loss_and_belong_to_their_rows(criterion, labels):
    random = np.random.default_rng(0)
    x = random.uniform(0.1, 0.9, (6, 3))
    classes = np.array([0, 1, 2, 2, 0, 1])
    for target in (classes, pynet.data.one_hot(classes)) if labels else (random.normal(size=(6, 3)),):
        rows = criterion.row_losses(x, target)
        assert rows.shape == (6,)
        assert rows.sum() == pytest.approx(float(criterion(x, target)), rel=1e-12)
        other = x.copy()
        other[2] *= 0.5
        changed = np.flatnonzero(~np.isclose(criterion.row_losses(other, target), rows, rtol=1e-12))
        assert changed.tolist() == [2]
    with pytest.raises(pynet.ShapeError):
        criterion.row_losses(x, np.zeros((5, 3)))
