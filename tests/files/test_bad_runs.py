"""Checkpoints of runs that are damaged or forged, and states that do not fit: refused, with everything as it was."""

import json
import math

import numpy as np
import pytest
from made_by_hand import HEADER, STATE

import pynet
from pynet import saving
from pynet.callbacks import Callback, Checkpoint, EarlyStopping

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)
X, Y = np.random.default_rng(0).normal(size=(12, 3)), np.random.default_rng(1).normal(size=(12, 2))


def trainer_of(*callbacks, generator=np.random.Philox):
    dropout = pynet.Dropout(0.2, seed=np.random.Generator(generator(3)))
    model = pynet.Sequential(pynet.Linear(3, 2, seed=0), dropout)
    return pynet.Trainer(model, pynet.MSELoss(), pynet.optim.Adam(model, 0.01), callbacks)


def state_of(trainer, generator):
    """Whatever resuming could change, as bytes and text."""
    random = [part if isinstance(part, int | float | str) else part.tobytes() for part in np.random.get_state()]
    own = repr(trainer.model[1]._random.generator.bit_generator.state) if generator else None
    return repr((trainer.model.state_dict(), trainer.optimizer.state_dict(), random, own))


def at(run, *path):
    """Return what is at the end of a path in a packed run."""
    for key in path:
        run = dict(run["dict"])[key] if isinstance(run, dict) else run[key]
    return run


def put(run, value, *path):
    """Put a value at the end of a path; "absent" takes it away."""
    *path, last = path
    holder = at(run, *path)
    if isinstance(holder, list):
        holder[last] = value
        return
    pairs = [[key, value if key == last else old] for key, old in holder["dict"]]
    holder["dict"] = [pair for pair in pairs if pair[1] != "absent"]


CHANGES = {
    **{
        f"{part} {value!r}": ((part,), value)
        for part in ("history", "stopping", "optimizer", "callbacks", "random")
        for value in ("absent", None, 3, ["x"])
        if not (part == "callbacks" and value == ["x"])
    },
    "callbacks of numbers": (("callbacks",), [1, 2]),
    "callbacks of others": (("callbacks", 0, 0), "CSVLogger"),
    "a callback's state null": (("callbacks", 0, 1), None),
    "a callback's state of nothing": (("callbacks", 1, 1), {"dict": []}),
    "history of numbers": (("history", "loss"), 0.5),
    "history of texts": (("history", "loss"), "0.5"),
    "history of other lengths": (("history", "loss"), {"array": "run/random/now/numpy/1"}),
    "an array that is not there": (("history", "loss"), {"array": "run/nothing"}),
    "an array named by a list": (("history", "loss"), {"array": ["x"]}),
    "pairs of three": (("history",), {"dict": [["loss", 1, 2]]}),
    "neither array nor dict": (("history",), {"list": []}),
    "no lr": (("optimizer", "lr"), "absent"),
    "lr a text": (("optimizer", "lr"), "0.1"),
    "lr negative": (("optimizer", "lr"), -1.0),
    "lr a list": (("optimizer", "lr"), [0.1]),
    "optimizer's state null": (("optimizer", "state"), None),
    "optimizer's state a list": (("optimizer", "state"), [1]),
    "of another parameter": (("optimizer", "state"), {"dict": [["9.weight", {"dict": [["step", 1]]}]]}),
    "moments of another shape": (("optimizer", "state", "0.weight", "exp_avg"), {"array": "run/history/loss"}),
    "moments a number": (("optimizer", "state", "0.weight", "exp_avg"), 1.0),
    "steps negative": (("optimizer", "state", "0.weight", "step"), -1),
    "steps a text": (("optimizer", "state", "0.weight", "step"), "1"),
    **{
        f"{moment}: place {place!r}": (("random", moment, "numpy", 2), place)
        for moment in ("start", "now")
        for place in (-1, 625, 10**9, -(10**9), 2**31, 10**30, 1.0, "1", None, True)
    },
    "start: no random numbers": (("random", "start"), "absent"),
    "now: no random numbers": (("random", "now"), "absent"),
    "keys of another shape": (("random", "now", "numpy", 1), {"array": "run/history/loss"}),
    "keys a number": (("random", "now", "numpy", 1), 5),
    "another kind": (("random", "now", "numpy", 0), "PCG64"),
    "half a state": (("random", "now", "numpy"), ["MT19937"]),
    "generators a number": (("random", "now", "own"), 3),
    "a generator too few": (("random", "now", "own"), []),
    "a generator too many": (("random", "start", "own"), [{"dict": []}] * 2),
    **{
        f"generator's place {place!r}": (("random", "now", "own", 0, "buffer_pos"), place)
        for place in (-1, 5, 10**9, -(10**9), 2**40, "1", None)
    },
    "generator of another kind": (("random", "now", "own", 0, "bit_generator"), "PCG64"),
    "generator of no kind": (("random", "now", "own", 0, "bit_generator"), "absent"),
}


def forged(path, change, generator=np.random.Philox):
    """A checkpoint of two epochs in which one thing is another."""
    trainer_of(Checkpoint(path), EarlyStopping("loss"), generator=generator).fit(X, Y, epochs=2)
    content = saving.read(path)
    metadata = json.loads(json.dumps(content.header["metadata"]))
    place, value = change
    put(metadata["run"], value, *place)
    saving.write(pynet.load(path), path, metadata, content.extra)


@each_format
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_forged_run_is_refused_and_changes_nothing(ending, change, tmp_path):
    path = tmp_path / f"run{ending}"
    forged(path, change)
    trainer = trainer_of(Checkpoint(path), EarlyStopping("loss"))
    before = state_of(trainer, True)
    with pytest.raises(pynet.CheckpointError, match=str(path)):
        trainer.fit(X, Y, epochs=3, resume=path)
    assert state_of(trainer, True) == before


@pytest.mark.parametrize("place", [-1, 625, 10**9, -(10**9)])
def test_a_forged_place_in_the_old_generators_numbers_is_refused(place, tmp_path):
    path = tmp_path / "run.npz"
    forged(path, (("random", "now", "own", 0, "state", "pos"), place), np.random.MT19937)
    trainer = trainer_of(Checkpoint(path), EarlyStopping("loss"), generator=np.random.MT19937)
    with pytest.raises(pynet.CheckpointError, match="random"):
        trainer.fit(X, Y, epochs=3, resume=path)


def test_the_same_run_that_is_not_forged_goes_on(tmp_path):
    path = tmp_path / "run.npz"
    forged(path, (("stopping",), ""))
    assert trainer_of(Checkpoint(path), EarlyStopping("loss")).fit(X, Y, epochs=3, resume=path).epochs == 3


class Fussy(Callback):
    """A callback that finds its state wrong when the model and the optimizer have theirs already."""

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        raise KeyError("nothing suits me")


def test_what_a_callback_refuses_changes_nothing(tmp_path):
    path = tmp_path / "run.npz"
    trainer_of(Fussy(), Checkpoint(path)).fit(X, Y, epochs=1)
    trainer = trainer_of(Fussy(), Checkpoint(path))
    before = state_of(trainer, True)
    with pytest.raises(pynet.CheckpointError, match="nothing suits me"):
        trainer.fit(X, Y, epochs=3, resume=path)
    assert state_of(trainer, True) == before


@pytest.mark.parametrize("wrong", [{"validation_split": 1.5}, {"sample_weight": np.full(12, -1.0)}])
def test_a_wrong_argument_beside_resume_leaves_the_random_state_alone(wrong, tmp_path):
    path = tmp_path / "run.npz"
    trainer_of(Checkpoint(path)).fit(X, Y, epochs=1)
    np.random.seed(5)
    trainer = trainer_of(Checkpoint(path))
    before = state_of(trainer, True)
    with pytest.raises(ValueError, match=r"split|weight"):
        trainer.fit(X, Y, epochs=3, resume=path, **wrong)
    assert state_of(trainer, True) == before


WEIGHT, BIAS = STATE.values()

BAD_STATES = {
    "missing": {"0.weight": WEIGHT},
    "unexpected": STATE | {"1.weight": WEIGHT},
    "renamed": {"0.weight": WEIGHT, "0.b": BIAS},
    "the last one of another shape": {"0.weight": WEIGHT + 1, "0.bias": np.ones(3)},
    "the last one without axes": {"0.weight": WEIGHT + 1, "0.bias": 1.0},
    "to be broadcast": {"0.weight": WEIGHT + 1, "0.bias": np.ones(1)},
    "transposed": {"0.weight": WEIGHT.T, "0.bias": BIAS},
    "text": {"0.weight": WEIGHT + 1, "0.bias": np.array(["1", "2"])},
    "complex": {"0.weight": WEIGHT + 1, "0.bias": np.array([1j, 2])},
    "objects": {"0.weight": WEIGHT + 1, "0.bias": np.array([1, None])},
    "None": {"0.weight": WEIGHT + 1, "0.bias": None},
    "masked": {"0.weight": WEIGHT + 1, "0.bias": np.ma.masked_array([1.0, 2.0], [True, False])},
    "ragged": {"0.weight": WEIGHT + 1, "0.bias": [[1.0], [1.0, 2.0]]},
}


@pytest.mark.parametrize("state", BAD_STATES.values(), ids=BAD_STATES)
def test_a_bad_state_dict_changes_nothing(state):
    model = pynet.Sequential(pynet.Linear(3, 2, seed=0), pynet.ReLU())
    before = [array.tobytes() for array in model.parameters() + model.grad_parameters()]
    with pytest.raises((ValueError, TypeError)):
        model.load_state_dict(state)
    assert [array.tobytes() for array in model.parameters() + model.grad_parameters()] == before


@pytest.mark.parametrize("count", [0.5, math.nan, math.inf, -math.inf])
def test_a_count_that_is_no_whole_number_changes_nothing(count):
    layer = pynet.BatchNorm(2)
    state = {name: array + 1 for name, array in layer.state_dict().items()} | {"num_batches_tracked": count}
    before = [array.tobytes() for array in layer.state_dict().values()]
    with pytest.raises(ValueError, match="whole numbers"):
        layer.load_state_dict(state)
    assert [array.tobytes() for array in layer.state_dict().values()] == before


def test_arrays_may_change_places():
    layer = pynet.BatchNorm(2)
    layer.weight[...], layer.bias[...] = [1, 2], [3, 4]
    live = dict(layer.named_parameters() + layer.named_buffers())
    layer.load_state_dict(live | {"weight": live["bias"], "bias": live["weight"]})
    assert (layer.weight.tolist(), layer.bias.tolist()) == ([3, 4], [1, 2])


def test_a_model_file_is_no_run(tmp_path):
    pynet.save(pynet.load(_good(tmp_path)), tmp_path / "model.npz", {"run": 5})
    with pytest.raises(pynet.CheckpointError, match=r"model\.npz: its run"):
        trainer_of().fit(X, Y, resume=tmp_path / "model.npz")


def _good(folder):
    from made_by_hand import npz

    (folder / "good.npz").write_bytes(npz(HEADER))
    return folder / "good.npz"
