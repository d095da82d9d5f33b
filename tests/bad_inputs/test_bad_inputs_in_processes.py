"""Bad inputs in processes of their own, with a time limit: no crash, no hang, nothing on stderr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from public_calls import WRONG_CALLS

import pynet

HERE = Path(__file__).parent


def run(program, *arguments, seconds=120):
    """Run a program of this folder; return what it has printed."""
    command = [sys.executable, "-X", "faulthandler", str(HERE / program), *map(str, arguments)]
    path = [HERE, HERE.parent, Path(pynet.__file__).parents[1]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_every_wrong_call_in_one_process_raises_what_it_must():
    assert run("every_wrong_call.py") == f"{len(WRONG_CALLS)} {len(WRONG_CALLS)}"


def test_sizes_beyond_blas_and_memory_are_refused():
    refused, calls = map(int, run("too_large.py").split())
    assert refused == calls
    assert calls >= 250


@pytest.mark.parametrize("levels", [500, 100_000])
def test_deep_nesting_ends_in_a_recursion_error_at_worst(levels, tmp_path):
    too_deep = run("deeply_nested.py", levels, tmp_path / "model.npz").split()
    assert levels == 500 or {"forward", "backward", "repr", "deepcopy", "parameters", "step", "save"} <= set(too_deep)
    assert list(tmp_path.iterdir()) == [] or "save" not in too_deep


def test_objects_without_a_constructor_raise_and_do_not_crash():
    made, raised = map(int, run("without_constructor.py").split())
    assert made >= 50
    assert raised >= 5000
