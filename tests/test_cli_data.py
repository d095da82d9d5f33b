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
    ("none_class", csv_of("a,b", range(6), ["x", "None"] * 3), [], "a class cannot be called 'None', which stands for"),
    ("thousands", csv_of("a,b", range(30), [f'"{i},000.5"' for i in range(1, 31)]), [], "write numbers as 1234.5"),
    ("ids", csv_of("a,b", range(30), [f"n{i}" for i in range(30)]), [], "30 different texts in 30 rows, such as 'n29'"),
    ("blank", "\na,b\n\n\n" + "1,0\n2,1\n" * 15 + "x,1\n", [], "row 35 (the header is row 2), column 'a': 'x' is no"),
    ("quoted", 'a;"b, c"\n' + "1;0\n2;1\n" * 15 + "x;1\n", [], "row 32 (the header is row 1), column 'a': 'x' is no"),
    ("wide", csv_of(",".join(f"c{i}" for i in range(30)), *[[0, 1]] * 30), ["--target", "z"], ", ... (30 in all)"),
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


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        ([f"2024-{1 + i % 12:02}-{1 + i // 12:02}" for i in range(40)], "--drop 'a' leaves it out"),
        ([f"{i}.5%" for i in range(40)], "write numbers as 1234.5"),
        ([f'"{i % 4},5"' for i in range(40)], "write numbers as 1234.5"),
        (["x", "y", "z", "z"] * 10, ""),
    ],
)
def test_columns_that_are_hardly_categories_are_noted(cells, note, tmp_path):
    (tmp_path / "data.csv").write_text(csv_of("a,b,c", cells, range(40), [0, 1] * 20))
    told = done("train", "data.csv", "--epochs", "1", "--no-plot", cwd=tmp_path)
    assert ("note: column 'a' is" in told) == bool(note)
    assert note in told
    assert f"inputs: a ({len(set(cells))} texts), b\n" in told


def test_of_many_classes_what_was_confused_most_is_told(tmp_path):
    random = np.random.default_rng(0)
    rows = [(f"{i % 30 + random.normal() / 4:.3f}", f"n{i % 30}") for i in range(600)]
    (tmp_path / "data.csv").write_text(csv_of("a,b", *zip(*rows, strict=True)))
    done("train", "data.csv", "--epochs", "3", "--no-plot", cwd=tmp_path)
    text = done("evaluate", "data.safetensors", "data.csv", cwd=tmp_path)
    first, *confused = text.splitlines()[1:]
    assert first == "confusion matrix of 30 classes: the largest of what is wrong"
    assert 1 <= len(confused) <= 25
    assert all(" taken for n" in line for line in confused)
    counts = [int(line.split()[0]) for line in confused]
    assert counts == sorted(counts, reverse=True)


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
