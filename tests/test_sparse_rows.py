"""Sparse matrices as inputs of a Trainer."""

import numpy as np
import pytest

import pynet

sparse = pytest.importorskip("scipy.sparse")

random = np.random.default_rng(0)
X = np.where(random.random((50, 6)) < 0.3, random.normal(size=(50, 6)), 0)
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def trained(X, held_out=None, **options):
    model = pynet.Sequential(pynet.Linear(6, 8, seed=0), pynet.Tanh(), pynet.Linear(8, 3, seed=1))
    trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1))
    history = trainer.fit(X, labels, epochs=3, batch_size=16, seed=5, validation_data=held_out, **options)
    return model.parameters(), history


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_that_a_fit_is_that_of_the_dense_matrix(make, weighted):
    options = {"sample_weight": np.arange(1.0, 51)} if weighted else {}
    ours, history = trained(make(X), (make(X[:20]), labels[:20]), **options)
    theirs, expected = trained(X, (X[:20], labels[:20]), **options)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-12)


def test_that_no_more_than_a_batch_is_ever_dense(monkeypatch):
    rows = []
    dense = sparse.csr_array.toarray
    monkeypatch.setattr(sparse.csr_array, "toarray", lambda self: rows.append(self.shape[0]) or dense(self))
    trained(sparse.csr_array(X))
    assert max(rows) == 16
    assert sum(rows) >= 150


def test_that_rows_must_agree():
    with pytest.raises(pynet.ShapeError, match="X has 49, y has 50"):
        trained(sparse.csr_array(X[:49]))
