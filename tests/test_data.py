"""Batches, splits, one-hot rows and the digits."""

import gzip

import numpy as np
import pytest

import pynet
from pynet.data import DataLoader, load_digits, load_idx, one_hot, train_test_split

X, y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)


@pytest.mark.parametrize(
    ("size", "drop", "lengths"),
    [(3, False, [3, 3, 3, 1]), (3, True, [3, 3, 3]), (5, False, [5, 5]), (20, False, [10]), (20, True, [])],
)
def test_batches_have_their_lengths(size, drop, lengths):
    loader = DataLoader(X, y, size, drop_last=drop)
    batches = list(loader)
    assert [len(a) for a, _ in batches] == lengths
    assert len(loader) == len(lengths)
    assert all(np.shares_memory(a, X) for a, _ in batches)
    assert {(a.dtype, b.dtype) for a, b in batches} <= {(X.dtype, y.dtype)}


def test_shuffling_pairs_rows_and_changes_every_epoch():
    loader = DataLoader(X, y, 4, shuffle=True)
    epochs = [np.concatenate([b for _, b in loader]) for _ in range(3)]
    assert all((np.sort(e) == y).all() for e in epochs)
    assert not (epochs[0] == epochs[1]).all()
    assert all((a[:, 0] == 2 * b).all() for a, b in loader)


def test_a_seed_repeats_the_orders_and_numpys_state_counts_without_one():
    def orders(seed):
        loader = DataLoader(X, y, 10, shuffle=True, seed=seed)
        return [next(iter(loader))[1].tolist() for _ in range(3)]

    assert orders(1) == orders(1) != orders(2)
    np.random.seed(1)
    first = orders(None)
    np.random.seed(1)
    assert orders(None) == first


def test_a_loader_refuses_what_does_not_fit(tmp_path):
    with pytest.raises(pynet.ShapeError, match="X has 10, y has 9"):
        DataLoader(X, y[:-1])
    for size, error in ((0, ValueError), (2.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="batch_size"):
            DataLoader(X, y, size)
    with pytest.raises(pynet.ShapeError, match="no axes"):
        DataLoader(X, 3)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert DataLoader(mapped, y).X is mapped
    assert len(DataLoader([[1], [2]], [0, 1])) == 2


def test_a_loader_says_what_it_is():
    assert repr(DataLoader(X, y, 4, shuffle=True)) == f"DataLoader({len(X)} rows, batch_size=4, shuffle=True)"
    wanted = f"DataLoader({len(X)} rows, batch_size=1, shuffle=False, drop_last=True)"
    assert repr(DataLoader(X, y, drop_last=True)) == wanted


def test_one_hot_rows():
    np.testing.assert_array_equal(one_hot([1, 0, 2]), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert one_hot([0], 4).shape == (1, 4)
    assert one_hot([0], dtype=np.float32).dtype == np.float32
    assert one_hot(np.zeros(0, int)).shape == (0, 0)
    for wrong, text in (([0, 3], "3 in row 1"), ([-1], "-1 in row 0")):
        with pytest.raises(ValueError, match=text):
            one_hot(wrong, 3)
    with pytest.raises(TypeError, match="integers"):
        one_hot([0.5])
    with pytest.raises(pynet.ShapeError, match="one axis"):
        one_hot([[1]])


@pytest.mark.parametrize(("size", "rows"), [(0.25, 3), (0.2, 2), (4, 4), (np.int64(1), 1)])
def test_a_split_takes_every_row_once(size, rows):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=size)
    assert len(y_test) == len(X_test) == rows
    assert sorted([*y_train, *y_test]) == list(range(10))
    assert (X_train[:, 0] == 2 * y_train).all()
    assert (X_test[:, 0] == 2 * y_test).all()


def test_a_split_without_shuffling_takes_the_end():
    assert train_test_split(y, test_size=3, shuffle=False)[1].tolist() == [7, 8, 9]


@pytest.mark.parametrize("seed", range(5))
def test_a_stratified_split_keeps_the_proportions(seed):
    classes = np.repeat(["a", "b", "c"], [60, 31, 9])
    rows = np.arange(100)
    train, test, _, test_classes = train_test_split(rows, classes, stratify=classes, test_size=0.25, seed=seed)
    assert sorted([*train, *test]) == list(range(100))
    counts = [int(np.sum(test_classes == name)) for name in "abc"]
    assert counts == [15, 8, 2]
    assert (np.diff(train) < 0).any()
    assert not np.array_equal(test, train_test_split(rows, stratify=classes, seed=seed + 1)[1])


def test_a_split_refuses_what_cannot_be():
    for size in (0.0, 1.0, 10, 0, -1, np.nan):
        with pytest.raises(ValueError, match="empty"):
            train_test_split(y, test_size=size)
    with pytest.raises(TypeError, match="test_size"):
        train_test_split(y, test_size="a")
    with pytest.raises(pynet.ShapeError, match="same number of rows"):
        train_test_split(X, y[1:])
    with pytest.raises(ValueError, match="one row"):
        train_test_split(y, stratify=[0] * 9 + [1])
    with pytest.raises(ValueError, match="fewer rows than there are classes"):
        train_test_split(y, stratify=y // 2, test_size=2)
    with pytest.raises(TypeError, match="at least one"):
        train_test_split()


def test_the_digits_are_those_of_uci():
    images, labels = load_digits()
    assert images.shape == (1797, 64)
    assert (images.dtype, labels.dtype) == (np.float64, np.int64)
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # The first image, a zero, as the source has it in its first two rows.
    assert images[0, :16].tolist() == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert labels[:10].tolist() == list(range(10))


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")]
)
@pytest.mark.parametrize("opener", [open, gzip.open])
def test_idx_files_of_every_type(tmp_path, code, dtype, opener):
    array = np.arange(-12, 12).reshape(2, 3, 4).astype(dtype)
    with opener(tmp_path / "a-idx3", "wb") as file:
        file.write(bytes([0, 0, code, 3]) + np.array([2, 3, 4], ">u4").tobytes() + array.astype(f">{dtype}").tobytes())
    loaded = load_idx(tmp_path / "a-idx3")
    assert loaded.dtype == array.dtype
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"PK\3\4",
        b"\0\0\x07\1\0\0\0\1x",
        b"\0\0\x08\2\0\0\0\1",
        b"\0\0\x08\1\xff\xff\xff\xffx",
        gzip.compress(b"\0\0\x08\1\0\0\0\1x")[:-4],
        b"\0\0\x08\1\0\0\0\1xy",
    ],
)
def test_what_is_no_idx_file_says_so(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match="a is no IDX file, or damaged"):
        load_idx(tmp_path / "a")
