"""The package: its version, what importing it does, instruction sets, threads and processes."""

import multiprocessing
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import pynet


def python(code, **environment):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stdout.strip(), result.stderr.strip()


def test_the_version_is_the_same_everywhere():
    assert pynet.__version__ == metadata.version("pynet")


def test_numpy_is_all_that_is_needed_and_all_that_is_imported():
    needed = [r for r in metadata.requires("pynet") if "extra ==" not in r]
    assert len(needed) == 1
    assert needed[0].startswith("numpy")
    code = "import sys, pynet; pynet.data.load_digits(); pynet.optim.SGD; print(*sys.modules)"
    modules = {name.partition(".")[0] for name in python(code)[1].split()}
    assert not modules & {"click", "matplotlib", "safetensors", "tqdm", "scipy", "sklearn", "torch"}


def test_importing_leaves_out_what_is_slow_to_import_and_seldom_used():
    code = "import sys, numpy; before = {*sys.modules}; import pynet; print(*{*sys.modules} - before)"
    imported = python(code)[1].split()
    assert "pynet.init" in imported
    assert {"shutil", "statistics", "tempfile"}.isdisjoint(imported)


def test_everything_public_is_there_and_documented():
    for name in pynet.__all__:
        assert getattr(pynet, name).__doc__


def test_without_the_compiled_part_the_error_says_what_to_do(tmp_path):
    package = Path(pynet.__file__).parent
    copied = tmp_path / "pynet"
    copied.mkdir()
    for name in ("__init__.py", "loading.py"):
        (copied / name).write_text((package / name).read_text())
    (tmp_path / "numpy.py").touch()
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import pynet"],  # -S: no installed packages
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = "ImportError: pynet's compiled part is missing: run 'pip install .' in the repository root"
    assert result.stderr.strip().endswith(expected)


def test_the_licences_travel_along():
    names = {path.name for path in metadata.files("pynet")}
    assert {"LICENSE", "DIGITS.txt", "py.typed", "_core.pyi"} <= names
    if any("libscipy_openblas" in name for name in names):
        assert "LICENSE-OpenBLAS.txt" in names


@pytest.mark.parametrize("threads", [None, "3"])
def test_importing_starts_no_threads_and_leaves_the_environment_alone(threads):
    code = """if True:
        import os, numpy
        count = lambda: len(os.listdir("/proc/self/task"))
        before, environment = count(), dict(os.environ)
        import pynet
        print(count() - before, dict(os.environ) == environment)
    """
    assert python(code, **({"OPENBLAS_NUM_THREADS": threads} if threads else {})) == (0, "0 True", "")


def test_importing_leaves_the_floating_point_mode_alone():
    code = "import numpy as np, pynet; pynet.Linear(3, 3)(np.ones((2, 3))); print(np.float64(5e-324) * 1.0 != 0.0)"
    assert python(code) == (0, "True", "")


STEP = """
import numpy as np, pynet
x = np.random.default_rng(0).normal(size=(100, 37))
y = np.random.default_rng(1).integers(0, 5, 100)
m = pynet.Sequential(pynet.Linear(37, 64, seed=0), pynet.BatchNorm(64), pynet.Tanh(), pynet.Dropout(0.2, seed=0),
                     pynet.Linear(64, 5, seed=1))
c, o = pynet.CrossEntropyLoss(), pynet.optim.Adam(m, 0.01)
for _ in range(20):
    loss = c(m(x), y)
    m.backward(x, c.backward(m.output, y))
    o.step()
print(repr(float(loss)), pynet.show_config().splitlines()[1].split()[2])
"""


@pytest.mark.parametrize("isa", ["baseline", "v3", "v4"])
def test_every_instruction_set_trains_to_the_same_loss(isa):
    code, out, err = python(STEP, PYNET_ISA=isa)
    if code and "up to what this CPU has" in err:
        pytest.skip(f"this CPU has no {isa}")
    assert (code, err) == (0, "")
    loss, used = out.split()
    assert used == isa
    assert float(loss) == pytest.approx(float(python(STEP, PYNET_ISA="baseline")[1].split()[0]), rel=1e-9)


def test_a_wrong_instruction_set_fails_the_import():
    code, _, err = python("import pynet", PYNET_ISA="v5")
    assert code == 1
    assert "PYNET_ISA is 'v5', expected baseline, v3 or v4" in err


@pytest.mark.parametrize(
    ("environment", "threads"),
    [
        ({"PYNET_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, "3"),
        ({"PYNET_NUM_THREADS": "", "OMP_NUM_THREADS": "5"}, "5"),
        ({"PYNET_NUM_THREADS": "x", "OMP_NUM_THREADS": "-1"}, None),
    ],
)
def test_the_environment_sets_the_threads(environment, threads):
    code = "import os, pynet; print(pynet.get_num_threads(), len(os.sched_getaffinity(0)))"
    got, cpus = python(code, **environment)[1].split()
    assert got == threads or (threads is None and 1 <= int(got) <= int(cpus))


def test_affinity_limits_the_threads():
    one_cpu = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"{one_cpu}; import pynet; print(pynet.get_num_threads())"
    assert python(code, PYNET_NUM_THREADS="", OMP_NUM_THREADS="")[1] == "1"


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True, None])
def test_a_wrong_number_of_threads_raises(count):
    with pytest.raises((TypeError, ValueError), match="count"):
        pynet.set_num_threads(count)


def _child(queue):
    layer = pynet.Linear(300, 400, seed=0)
    queue.put(float(layer.forward(np.ones((300, 300))).sum()))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_child_processes_compute_too(method):
    pynet.set_num_threads(4)
    expected = float(pynet.Linear(300, 400, seed=0).forward(np.ones((300, 300))).sum())
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=_child, args=(queue,))
    process.start()
    got = queue.get(timeout=60)
    process.join(60)
    assert process.exitcode == 0
    assert got == pytest.approx(expected)


def test_uninitialised_objects_raise_and_do_not_crash():
    for cls in (pynet.Linear, pynet.BatchNorm, pynet.Dropout, pynet.LeakyReLU):
        with pytest.raises(AttributeError):
            cls.__new__(cls).forward(np.ones((2, 3)))
