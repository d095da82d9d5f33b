"""Data as they come: lists, integers, labels, files that are mapped."""

import tracemalloc

import numpy as np
import pytest
from trained import Recorder, X, amounts, labels, random, regressor, trainer_of

import pynet


@pytest.mark.parametrize("y", [amounts, amounts.tolist(), np.round(amounts).astype(int)], ids=["float", "list", "int"])
def test_targets_of_one_column_may_lack_the_axis(y):
    flat, column = regressor(), regressor()
    target = np.asarray(y, float)[:, None]
    histories = [
        trainer_of(model, pynet.MSELoss(), 0.01, metrics=["r2", "mae"]).fit(
            X, values, epochs=2, seed=0, validation_data=(X, values)
        )
        for model, values in ((flat, y), (column, target))
    ]
    assert {name: v for name, v in histories[0].items() if name != "time"} == {
        name: v for name, v in histories[1].items() if name != "time"
    }


def test_labels_for_one_output_stay_labels_so_that_the_mistake_is_seen():
    with pytest.raises(ValueError, match="label 1"):
        trainer_of(regressor()).fit(X, (labels > 0).astype(int))


def test_data_are_converted_once_and_batches_are_views():
    recorder = Recorder()
    model = pynet.Sequential(recorder, pynet.Linear(4, 3, dtype=np.float32))
    trainer_of(model).fit(X, labels, epochs=2, batch_size=25, shuffle=False)
    first, second, again, _ = recorder.trained_on()
    assert first.dtype == np.float32
    assert np.shares_memory(first, again)
    assert first.base is second.base is not None
    recorder.seen.clear()
    x = X.astype(np.float32)
    trainer_of(model).fit(x, labels, epochs=1, batch_size=25, shuffle=False)
    assert np.shares_memory(recorder.trained_on()[0], x)  # nothing to convert, nothing copied


@pytest.mark.parametrize("validation_split", [None, 0.25])
def test_memory_mapped_data_are_never_copied_whole(tmp_path, validation_split):
    big = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (40_000, 100))
    target = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float32, (40_000,))
    big[::3], target[::5] = 1, 2
    mapped, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "y"))
    model = pynet.Sequential(pynet.Linear(100, 1))
    trainer = trainer_of(model, pynet.MSELoss(), 1e-3, metrics="mae")
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.float64, (40_000, 1))
    tracemalloc.start()
    try:
        trainer.fit(mapped, y, epochs=1, batch_size=256, validation_split=validation_split)
        trainer.evaluate(mapped, y)
        trainer.predict(mapped, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < big.nbytes / 4
    np.testing.assert_allclose(out[:300], model(big[:300]))


def test_predict_takes_integers_as_fit_does_and_refuses_an_out_that_would_truncate():
    class Flip(Recorder):
        def forward(self, input):
            return 1 - input

    model = pynet.Sequential(Flip(), pynet.Linear(4, 3))
    whole = random.integers(0, 9, (5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(trainer_of(model).predict(whole), trainer_of(model).predict(whole.astype(float)))
    with pytest.raises(TypeError, match="out must hold float64, got int64"):
        trainer_of(model).predict(whole, out=np.zeros((5, 3), int))
