"""Files: what comes back, what is refused, and what a failed save leaves."""

import json
import os
import pickle
import stat
import zipfile

import numpy as np
import pytest
from table import MODULES, Case, name_of
from test_protocol import Block

import pynet

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)


@pytest.fixture(autouse=True)
def library(request):
    if ".safetensors" in str(request.node.callspec.params if hasattr(request.node, "callspec") else ""):
        pytest.importorskip("safetensors")


class Scale(pynet.Module):
    def __init__(self, factor, body):
        super().__init__()
        self.factor, self.body = factor, body

    def forward(self, input):
        return self.body.forward(input) * self.factor

    def backward(self, input, grad_output):
        return self.body.backward(input, np.multiply(grad_output, self.factor))


@pytest.mark.parametrize("case", MODULES, ids=name_of)
@each_format
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_with_its_bits(case: Case, ending, dtype, tmp_path):
    module, x = case.module(dtype), case.input(dtype)
    path = tmp_path / f"model{ending}"
    pynet.save(module, path)
    before = np.random.get_state()[1].tobytes()
    other = pynet.load(path)
    assert np.random.get_state()[1].tobytes() == before
    assert repr(other) == repr(module)
    assert other.training == module.training
    for (name, a), (other_name, b) in zip(module.state_dict().items(), other.state_dict().items(), strict=True):
        assert name == other_name
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    np.testing.assert_array_equal(other.eval().forward(x), module.eval().forward(x))
    other.train().forward(x)


@each_format
def test_a_transposed_weight_is_saved_as_it_reads(ending, tmp_path):
    layer = pynet.Linear(4, 4)
    layer.W = np.arange(16.0).reshape(4, 4).T
    pynet.save(layer, tmp_path / f"m{ending}")
    np.testing.assert_array_equal(pynet.load(tmp_path / f"m{ending}").W, layer.W)


@each_format
def test_a_users_class_comes_back_when_it_is_admitted(ending, tmp_path):
    model = pynet.Sequential(Scale(2.5, pynet.Sequential(pynet.Linear(3, 2))), pynet.ReLU())
    path = str(tmp_path / f"m{ending}")
    pynet.save(model, path)
    with pytest.raises(pynet.CheckpointError, match=r"'Scale'.*classes=\[Scale\]"):
        pynet.load(path)
    other = pynet.load(path, classes=[Scale])
    x = np.ones((2, 3))
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    assert other[0].factor == 2.5


def test_a_users_class_of_pynets_name_does_not_pass_for_it(tmp_path):
    class ReLU(pynet.Module):
        def forward(self, input):
            return input

        def backward(self, input, grad_output):
            return grad_output

    pynet.save(pynet.Sequential(ReLU()), tmp_path / "m.npz")
    with pytest.raises(pynet.CheckpointError, match="'ReLU'"):
        pynet.load(tmp_path / "m.npz")
    assert type(pynet.load(tmp_path / "m.npz", classes=[ReLU])[0]) is ReLU


def test_what_a_file_cannot_keep_is_named(tmp_path):
    with pytest.raises(TypeError, match="no attribute 'width'"):
        pynet.save(Block(3), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"Scale\.factor is a ndarray"):
        pynet.save(Scale(np.ones(2), pynet.ReLU()), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"must be a pynet\.Module"):
        pynet.save({}, tmp_path / "m.npz")
    for ending in ("", ".pkl", ".NPZ"):
        with pytest.raises(ValueError, match="must end in"):
            pynet.save(pynet.ReLU(), tmp_path / f"m{ending}")
        with pytest.raises(ValueError, match="must end in"):
            pynet.load(tmp_path / f"m{ending}")
    assert os.listdir(tmp_path) == []


@each_format
def test_a_failed_save_leaves_the_old_file(ending, tmp_path, monkeypatch):
    path = tmp_path / f"m{ending}"
    pynet.save(pynet.Linear(2, 2), path)
    os.chmod(path, 0o640)
    old = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    for function in ("fsync", "replace", "fchmod"):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, full)
            with pytest.raises(OSError, match="No space"):
                pynet.save(pynet.Linear(3, 3), path)
        assert path.read_bytes() == old
        assert os.listdir(tmp_path) == [path.name]
    link = tmp_path / f"link{ending}"
    link.symlink_to(path)
    pynet.save(pynet.Linear(3, 3), link)
    assert link.is_symlink()
    assert pynet.load(path).dim_in == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        pynet.save(pynet.ReLU(), tmp_path / "m.npz")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "m.npz").stat().st_mode) == 0o640


def damage(path, ending):
    """Files that are not what save writes, from a good one."""
    good = path.read_bytes()
    yield "empty", b""
    yield "cut", good[: len(good) // 2]
    yield "text", b"hello" * 100
    yield "pickle", pickle.dumps(pynet.ReLU())
    middle = len(good) // 2
    if ending == ".npz":
        yield "flipped", good[:middle] + bytes([good[middle] ^ 255]) + good[middle + 1 :]


@each_format
def test_a_damaged_file_raises_checkpoint_error(ending, tmp_path):
    path = tmp_path / f"m{ending}"
    pynet.save(pynet.Sequential(pynet.Linear(30, 20), pynet.BatchNorm(20)), path)
    for name, content in damage(path, ending):
        bad = tmp_path / f"{name}{ending}"
        bad.write_bytes(content)
        with pytest.raises(pynet.CheckpointError, match=name):
            pynet.load(bad)
    os.mkfifo(tmp_path / f"fifo{ending}")
    os.mkdir(tmp_path / f"folder{ending}")
    with pytest.raises(FileNotFoundError):
        pynet.load(tmp_path / f"absent{ending}")
    with pytest.raises(OSError, match="folder"):
        pynet.load(tmp_path / f"folder{ending}")


def write_npz(path, header, **arrays):
    text = header if isinstance(header, str) else json.dumps(header)
    np.savez(path, pynet=np.frombuffer(text.encode(), np.uint8), **{f"state/{k}": v for k, v in arrays.items()})


def relu(**changes):
    return {"format": 1, "training": True, "architecture": {"class": "pynet.ReLU", "arguments": {}}} | changes


def layer(name, **arguments):
    return relu(architecture={"class": name, "arguments": arguments})


FORGED = [
    relu(format=2),
    relu(architecture=None),
    relu(architecture={"class": "pynet.ReLU"}),
    relu(architecture={"class": "pynet.ReLU", "arguments": []}),
    relu(architecture={"class": ["pynet.ReLU"], "arguments": {}}),
    layer("pynet.Module"),
    layer("os.system", command="true"),
    layer("pynet.ReLU", extra=1),
    layer("pynet.Linear", dim_in=2),
    layer("pynet.Linear", dim_in="2", dim_out=2),
    layer("pynet.Linear", dim_in=2, dim_out=-2),
    layer("pynet.Linear", dim_in=2**30, dim_out=2**30),
    layer("pynet.Linear", dim_in=2, dim_out=2),
    layer("pynet.Dropout", p=float("nan")),
    layer("pynet.Sequential", layers=[1]),
    layer("pynet.Sequential", layers=3),
    [],
    "{",
    "[" * 100_000,
]


@pytest.mark.parametrize("header", FORGED, ids=range(len(FORGED)))
def test_a_forged_architecture_raises_checkpoint_error(header, tmp_path):
    path = tmp_path / "m.npz"
    write_npz(path, header, weight=np.ones((2, 3)))
    with pytest.raises(pynet.CheckpointError):
        pynet.load(path)


def test_arrays_that_do_not_fit_raise_checkpoint_error(tmp_path):
    path = tmp_path / "m.npz"
    for arrays in ({"x": np.ones(1)}, {"x": np.array([object()])}):
        write_npz(path, relu(), **arrays)
        with pytest.raises(pynet.CheckpointError):
            pynet.load(path)
    np.savez(path, a=np.ones(1))
    with pytest.raises(pynet.CheckpointError, match="no architecture"):
        pynet.load(path)


def test_a_compressed_entry_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    pynet.save(pynet.ReLU(), path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state/bomb.npy", b"\0" * 1_000_000)
    with pytest.raises(pynet.CheckpointError, match="compressed"):
        pynet.load(path)


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "m.npz"
    write_npz(path, relu(), trap=np.array([Trap()], dtype=object))
    with pytest.raises(pynet.CheckpointError):
        pynet.load(path)
    assert not (tmp_path / "sprung").exists()
