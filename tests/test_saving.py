"""Files: what comes back, what is refused, and what a failed save leaves."""

import contextlib
import json
import os
import pickle
import stat
import zipfile

import numpy as np
import pytest
from table import MODULES, Case, name_of
from test_protocol import Block as NoConfig

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
        pynet.save(NoConfig(3), tmp_path / "m.npz")
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
    for name in ("fifo", "folder"):
        with pytest.raises(pynet.CheckpointError, match="no regular file"):
            pynet.load(tmp_path / f"{name}{ending}")


def write_npz(path, header, **arrays):
    text = header if isinstance(header, str) else json.dumps(header)
    np.savez(path, pynet=np.frombuffer(text.encode(), np.uint8), **{f"state/{k}": v for k, v in arrays.items()})


def relu(**changes):
    return {"format": 1} | layer("pynet.ReLU") | changes


def layer(name, **arguments):
    return {"format": 1, "architecture": {"class": name, "arguments": arguments}, "training": [True]}


FORGED = [
    relu(format=2),
    relu(architecture=None),
    relu(architecture={"class": "pynet.ReLU"}),
    relu(architecture={"class": "pynet.ReLU", "arguments": []}),
    relu(architecture={"class": ["pynet.ReLU"], "arguments": {}}),
    relu(architecture={"again": 0}),
    relu(training=[True, True]),
    relu(training=None),
    layer("pynet.Sequential", layers=[{"again": 0}]),
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


def test_a_module_that_stands_twice_comes_back_as_one(tmp_path):
    layer = pynet.Linear(2, 2)
    pynet.save(pynet.Sequential(layer, pynet.ReLU(), layer, pynet.Sequential(layer)), tmp_path / "m.npz")
    other = pynet.load(tmp_path / "m.npz")
    assert other[0] is other[2] is other[3][0]
    np.testing.assert_array_equal(other[0].W, layer.W)


def test_each_module_comes_back_in_its_own_mode(tmp_path):
    model = pynet.Sequential(pynet.BatchNorm(2).eval(), pynet.Dropout())
    pynet.save(model, tmp_path / "m.npz")
    assert [m.training for m in pynet.load(tmp_path / "m.npz")] == [False, True]


class Block(pynet.Module):
    """Makes its own modules from a number."""

    def __init__(self, width):
        super().__init__()
        self.width, self.linear = width, pynet.Linear(width, width)
        self.rest = [pynet.Dropout(), pynet.BatchNorm(width, affine=False)]

    def forward(self, input):
        for layer in (self.linear, *self.rest):
            input = layer.forward(input)
        return input

    def backward(self, input, grad_output):
        raise NotImplementedError


def test_modules_made_in_a_constructor_come_back_in_their_mode_and_dtype(tmp_path):
    model = pynet.Sequential(Block(3)).astype(np.float32).eval()
    pynet.save(model, tmp_path / "m.npz")
    other = pynet.load(tmp_path / "m.npz", classes=[Block])
    x = np.random.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    assert other[0].rest[1].running_var.dtype == np.float32


def test_layers_of_size_zero_come_back(tmp_path):
    for layer_ in (pynet.Linear(0, 5, bias=False), pynet.Linear(5, 0), pynet.Linear(0, 5), pynet.BatchNorm(0)):
        pynet.save(pynet.Sequential(layer_), tmp_path / "m.npz")
        assert repr(pynet.load(tmp_path / "m.npz")[0]) == repr(layer_)


def test_the_default_dtype_does_not_touch_what_is_loaded(tmp_path):
    models = [pynet.Sequential(pynet.Linear(2, 2), Scale(1.0, pynet.Linear(2, 2))).astype(t) for t in ("f4", "f8")]
    for model in models:
        pynet.set_default_dtype(np.float64 if model[0].W.dtype == np.float32 else np.float32)
        pynet.save(model, tmp_path / "m.npz")
        other = pynet.load(tmp_path / "m.npz", classes=[Scale])
        for a, b in zip(other.parameters(), model.parameters(), strict=True):
            assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())


class Plain:
    """A layer on no base class of ours."""

    def __init__(self, width):
        self.width, self.w = width, np.full(width, 2.0, np.float32)

    def forward(self, input):
        return input * self.w

    def backward(self, input, grad_output):
        self.grad_w = np.sum(input * grad_output, axis=0)
        return grad_output * self.w

    def parameters(self):
        return [self.w]

    def grad_parameters(self):
        return [self.grad_w]


def test_a_layer_without_our_base_class_is_saved_too(tmp_path):
    model = pynet.Sequential(Plain(3))
    model[0].w[...] = [1, 2, 3]
    pynet.save(model, tmp_path / "m.npz")
    np.testing.assert_array_equal(pynet.load(tmp_path / "m.npz", classes=[Plain])[0].w, [1, 2, 3])


def test_a_subclass_whose_constructor_takes_something_else_is_refused_when_saved(tmp_path):
    class Net(pynet.Sequential):
        def __init__(self, width):
            super().__init__(pynet.Linear(width, width))

    class Square(pynet.Linear):
        def __init__(self, width):
            super().__init__(width, width)

    for model in (Net(3), Square(3)):
        with pytest.raises(TypeError, match=r"constructor does not take.*define config\(\)"):
            pynet.save(model, tmp_path / "m.npz")
    assert repr(Square(3)) == "Square()"


def test_what_to_write_for_classes_is_said(tmp_path):
    pynet.save(pynet.ReLU(), tmp_path / "m.npz")
    for wrong in (Scale, [Scale(1.0, pynet.ReLU())], "Scale"):
        with pytest.raises(TypeError, match=r"classes=\[MyLayer\]"):
            pynet.load(tmp_path / "m.npz", classes=wrong)
    with pytest.raises(FileNotFoundError, match="no folder"):
        pynet.save(pynet.ReLU(), tmp_path / "absent" / "m.npz")


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_give_checkpoint_error_or_the_model(seed, tmp_path):
    path = tmp_path / "m.npz"
    pynet.save(pynet.Sequential(pynet.Linear(3, 2), pynet.BatchNorm(2)), path)
    content, random = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for _ in range(10):
        broken = content.copy()
        broken[random.integers(len(broken))] ^= 1 << random.integers(8)
        path.write_bytes(broken)
        with contextlib.suppress(pynet.CheckpointError):
            assert len(pynet.load(path)) == 2


@each_format
def test_metadata_travel_with_the_model(tmp_path, ending):
    path, metadata = tmp_path / f"model{ending}", {"classes": ["a", "ä"], "mean": [0.1, 1 / 3], "n": None}
    pynet.save(pynet.Linear(2, 2), path, metadata)
    assert pynet.load_metadata(path) == metadata
    assert pynet.load(path).W.shape == (2, 2)
    pynet.save(pynet.Linear(2, 2), path)
    assert pynet.load_metadata(path) is None


@pytest.mark.parametrize(("metadata", "error"), [({"x": {1, 2}}, TypeError), ([float("nan")], ValueError)])
def test_metadata_that_json_cannot_hold_raise_and_write_nothing(tmp_path, metadata, error):
    with pytest.raises(error, match="metadata must be what JSON can hold"):
        pynet.save(pynet.Linear(2, 2), tmp_path / "model.npz", metadata)
    assert list(tmp_path.iterdir()) == []
