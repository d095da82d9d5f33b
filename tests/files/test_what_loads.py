"""Files that others may write and that load all the same, and what is said of numbers that are not finite."""

import warnings

import numpy as np
import pytest
from bad_headers import inside
from made_by_hand import HEADER, STATE, is_the_good_model, npz, safetensors, table_of, with_state
from table import SAVEABLE, name_of

import pynet
from pynet import architecture, protocol

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)


@pytest.mark.parametrize(
    "state",
    [
        {name: array.astype(">f8") for name, array in STATE.items()},
        {name: np.asfortranarray(array) for name, array in STATE.items()},
        {name: array.astype(np.longdouble) for name, array in STATE.items()},
        dict(reversed(STATE.items())),
    ],
    ids=["big-endian", "Fortran", "longdouble", "another order"],
)
def test_numpys_other_ways_to_write_numbers_load(state, tmp_path):
    (tmp_path / "model.npz").write_bytes(npz(state=state))
    model = pynet.load(tmp_path / "model.npz")
    assert is_the_good_model(model)
    assert model[0].W.dtype == np.float64


def test_numpys_own_savez_writes_what_loads(tmp_path):
    with np.load(_written(tmp_path, npz())) as archive:
        np.savez(tmp_path / "again.npz", **archive)
    assert is_the_good_model(pynet.load(tmp_path / "again.npz"))


def _written(folder, content):
    path = folder / "model.npz"
    path.write_bytes(content)
    return path


@each_format
def test_numbers_that_are_not_finite_load_and_are_reported(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    for value in (np.nan, np.inf, -np.inf):
        path.write_bytes(with_state(ending, HEADER, STATE | {"0.bias": np.array([1.0, value])}))
        with pytest.warns(UserWarning, match=r"'0\.bias' .* not finite"):
            model = pynet.load(path)
        np.testing.assert_array_equal(model[0].b, [1.0, value])
    path.write_bytes(with_state(ending, HEADER, STATE | {"0.bias": np.array([-0.0, 5e-324])}))
    with warnings.catch_warnings(action="error"):
        assert np.signbit(pynet.load(path)[0].b[0])


@each_format
def test_integers_load_into_floating_parameters(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    path.write_bytes(with_state(ending, HEADER, STATE | {"0.bias": np.array([3, -4])}))
    np.testing.assert_array_equal(pynet.load(path)[0].b, [3.0, -4.0])


def test_the_library_reads_what_we_write_and_we_what_it_writes(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    model = pynet.Sequential(pynet.Linear(3, 2), pynet.BatchNorm(2), pynet.Linear(2, 0)).astype(np.float32)
    path = tmp_path / "model.safetensors"
    pynet.save(model, path, {"names": ["a", "ä"]})
    arrays = library.load_file(path)
    for name, array in model.state_dict().items():
        assert (arrays[name].dtype, arrays[name].shape, arrays[name].tobytes()) == (
            array.dtype,
            array.shape,
            array.tobytes(),
        )
    text = table_of()["__metadata__"]
    library.save_file(STATE, path, text)
    assert is_the_good_model(pynet.load(path))


def test_the_numbers_in_a_safetensors_file_are_aligned(tmp_path):
    model = pynet.Sequential(pynet.Linear(3, 1, dtype=np.float32), pynet.BatchNorm(1, dtype=np.float64))
    pynet.save(model, tmp_path / "model.safetensors")
    content = (tmp_path / "model.safetensors").read_bytes()
    assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0
    assert content.index(model[1].running_var.tobytes()) % 8 == 0


@each_format
def test_what_is_saved_can_be_loaded_however_deep_it_is(ending, tmp_path):
    """Too deep for the one is too deep for the other."""
    saved = 0
    for depth in range(10, 400, 10):
        model = pynet.ReLU()
        for _ in range(depth):
            model = pynet.Sequential(model)
        try:
            pynet.save(model, tmp_path / f"{depth}{ending}")
        except RecursionError:
            break
        pynet.load(tmp_path / f"{depth}{ending}")
        saved = depth
    assert saved >= 100


@each_format
def test_what_would_be_refused_is_not_saved(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    many = [{} for _ in range(10**5)]
    for metadata in (many, "a" * 10**7 + "\N{SLICE OF PIZZA}"):
        with pytest.raises(ValueError, match="too much memory"):
            pynet.save(pynet.ReLU(), path, metadata)
    model = pynet.Module()
    model.parts = {"new\nline": pynet.Linear(1, 1)}
    model.forward = model.backward = None
    with pytest.raises(ValueError, match="no name for a parameter"):
        pynet.save(model, path)
    assert list(tmp_path.iterdir()) == []


@each_format
def test_metadata_of_a_wide_table_can_be_saved_and_loaded(ending, tmp_path):
    """As many as 100,000 columns with their means and deviations, beside weights of that width."""
    random = np.random.default_rng(0)
    metadata = {"mean": random.normal(size=10**5).tolist(), "scale": random.normal(size=10**5).tolist()}
    path = tmp_path / f"model{ending}"
    pynet.save(pynet.Linear(10**5, 2), path, metadata)
    assert pynet.load_metadata(path) == metadata


@pytest.mark.parametrize("case", SAVEABLE, ids=name_of)
def test_what_a_layer_holds_is_known_before_it_is_made(case):
    """For every layer of the table: what a file must hold for it, and what it holds, are the same number."""
    for _, part in protocol.modules(case.make()):
        arrays = part.state_dict().values() if part.is_leaf else []
        assert architecture.numbers_in(type(part), part.config()) == sum(array.size for array in arrays)


def test_good_levels_load(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors(table_of(inside(50), {}), b""))
    assert repr(pynet.load(path)).count("Sequential") == 51
