"""Metrics: equal to their formulas, in one piece or many."""

import numpy as np
import pytest

import pynet
from pynet import metrics

random = np.random.default_rng(0)
scores = random.normal(size=(40, 5))
labels = random.integers(0, 5, 40)


def test_accuracy_is_the_share_of_right_classes():
    expected = np.mean(scores.argmax(axis=1) == labels)
    assert metrics.accuracy(scores, labels) == expected
    assert metrics.accuracy(scores, pynet.data.one_hot(labels)) == expected
    assert metrics.accuracy(scores, labels[:, None]) == expected
    assert metrics.accuracy([[0.2], [0.9], [0.6]], [0, 1, 0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_top_k_looks_among_the_k_largest(k):
    ranks = (-scores).argsort(axis=1)[:, :k]
    expected = np.mean([label in row for label, row in zip(labels, ranks, strict=True)])
    assert metrics.top_k_accuracy(scores, labels, k) == expected


def test_a_score_that_is_no_number_is_never_right():
    assert metrics.top_k_accuracy([[np.nan, 1.0]], [0], 2) == 0


def test_r2_is_exact_far_from_zero_and_in_pieces():
    y = random.normal(size=(300, 2)) + 1e6
    predicted = y + random.normal(size=y.shape)
    expected = np.mean(1 - ((y - predicted) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0))
    metric = metrics.R2()
    for rows in np.array_split(np.arange(300), 7):
        metric.update(predicted[rows], y[rows])
    assert metric.result() == pytest.approx(expected, rel=1e-7)
    assert metrics.r2_score(predicted, y) == pytest.approx(expected, rel=1e-7)


def test_r2_of_a_constant_target_is_one_if_met_and_else_zero():
    assert metrics.r2_score([2.0, 2.0], [2.0, 2.0]) == 1
    assert metrics.r2_score([2.0, 3.0], [2.0, 2.0]) == 0
    assert np.isnan(metrics.r2_score([2.0], [2.0]))


def test_mean_absolute_error():
    assert metrics.mean_absolute_error([1.0, 5.0], [2.0, 2.0]) == 2


def test_confusion_matrix_counts_true_classes_in_rows():
    counts = metrics.confusion_matrix([0, 1, 1, 2], [0, 0, 1, 2], 4)
    np.testing.assert_array_equal(counts, [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    from_scores = metrics.confusion_matrix(scores, pynet.data.one_hot(labels, 5))
    assert from_scores.shape == (5, 5)
    assert np.trace(from_scores) / 40 == metrics.accuracy(scores, labels)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy(scores, labels[:3]), pynet.ShapeError, r"target has shape \(3,\), expected \(40,\)"),
        (lambda: metrics.accuracy(labels, labels), pynet.ShapeError, r"expected \(N, \.\.\., classes\)"),
        (lambda: metrics.r2_score(np.ones((3, 1)), np.ones(3)), pynet.ShapeError, r"target\[:, None\] has it"),
        (lambda: metrics.TopK(0), ValueError, "k must be"),
        (lambda: metrics.confusion_matrix([0, 1], [0]), pynet.ShapeError, "predicted has 2 rows, expected 1"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 1], 2), ValueError, "labels must be from 0 to 1"),
        (lambda: metrics.confusion_matrix([0, 1], [[0], [1]]), pynet.ShapeError, "integer labels"),
        (lambda: metrics.confusion_matrix([0.5], [0]), pynet.ShapeError, "integer labels"),
        (lambda: metrics.as_metrics([metrics.Accuracy]), TypeError, r"write Accuracy\(\)"),
        (lambda: metrics.as_metrics([3]), TypeError, "metric must be a name"),
    ],
)
def test_what_does_not_fit_raises(call, error, message):
    with pytest.raises(error, match=message):
        call()
