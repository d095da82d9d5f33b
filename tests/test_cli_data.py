"""Data that the command line cannot use: each kind is told in one line, and nothing is written."""

import numpy as np
import pytest
from test_cli import done, failed

import pynet

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


def csv_of(header, *columns):
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]) + "\n"


ARRAYS = [
    ("rows", {"X": np.arange(6.0), "y": Y}, "X must be numbers with one row per sample, got float64 of shape (6,)"),
    ("texts", {"X": X.astype(str), "y": Y}, "X must be numbers"),
    ("none", {"X": X[:0], "y": Y[:0]}, "X has no rows"),
    ("length", {"X": X, "y": Y[:5]}, "X has 6 rows, y has shape (5,)"),
    ("complex", {"X": X, "y": Y * 1j}, "y must be numbers or texts, got complex128"),
    ("infinite", {"X": X, "y": np.where(Y, np.inf, 0.5)}, "y is not finite everywhere"),
    ("huge", {"X": X * 1e307, "y": Y}, "numbers too large"),
    ("one_class", {"X": X, "y": np.zeros(6, int)}, "target 'y' has one class only, 0"),
]
TABLES = [
    ("alone", csv_of("b", range(6)), [], "has no column beside the target 'b'"),
    ("missing", csv_of("a,b,c", ["NA"] * 6, range(6), Y), ["--missing", "mean"], "column 'a' has no numbers at all"),
    ("names", csv_of("a,b", [f"n{i}" for i in range(1200)], [0, 1] * 600), [], "1200 different texts, at most 1000"),
    ("text", csv_of("a,b", range(6), ["x", "y"] * 3), ["--task", "regression"], "text such as 'x', which is no amount"),
]


@pytest.mark.parametrize(("name", "arrays", "message"), ARRAYS, ids=[row[0] for row in ARRAYS])
def test_arrays_that_cannot_be_trained_on(name, arrays, message, tmp_path):
    np.savez(tmp_path / f"{name}.npz", **arrays)
    assert message in failed("train", f"{name}.npz", cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.npz"]


@pytest.mark.parametrize(("name", "text", "options", "message"), TABLES, ids=[row[0] for row in TABLES])
def test_tables_that_cannot_be_trained_on(name, text, options, message, tmp_path):
    (tmp_path / f"{name}.csv").write_text(text)
    assert message in failed("train", f"{name}.csv", *options, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.csv"]


def test_later_arrays_must_be_like_the_first(tmp_path):
    np.savez(tmp_path / "first.npz", X=np.tile(X, (5, 1)), y=np.tile(Y, 5)[:, None])  # one column, as one axis
    done("train", "first.npz", "--epochs", "2", "--no-plot", cwd=tmp_path)
    np.savez(tmp_path / "wide.npz", X=np.ones((6, 3)), y=Y)
    assert "X has rows of shape (3,), the model was trained on (2,)" in failed(
        "evaluate", "first.safetensors", "wide.npz", cwd=tmp_path
    )
    (tmp_path / "table.csv").write_text(csv_of("a,b,c", range(6), range(6), Y))
    assert "DATA must not be a .csv file" in failed("predict", "first.safetensors", "table.csv", cwd=tmp_path)


def test_what_is_missing_among_texts_gets_their_shares(tmp_path):
    (tmp_path / "holes.csv").write_text(csv_of("a,b", ["x", "y", "NA", "x"] * 10, [0, 1] * 20))
    assert "accuracy" in done("train", "holes.csv", "--missing", "mean", "--epochs", "2", "--no-plot", cwd=tmp_path)


def test_a_column_of_numbers_stays_one(tmp_path):
    (tmp_path / "first.csv").write_text(csv_of("a,b", range(40), [0, 1] * 20))
    done("train", "first.csv", "--epochs", "2", "--no-plot", cwd=tmp_path)
    (tmp_path / "later.csv").write_text(csv_of("a,b", ["low", 2, 3], [0, 1, 0]))
    assert "column 'a': 'low' is no number, as it was in training" in failed(
        "predict", "first.safetensors", "later.csv", cwd=tmp_path
    )
    assert pynet.load_metadata(tmp_path / "first.safetensors")
