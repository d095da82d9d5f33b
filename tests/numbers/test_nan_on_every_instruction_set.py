"""NaN never disappears on the other instruction sets either: each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pynet import _core

FILES = [str(Path(__file__).with_name(name)) for name in ("test_nan_in_layers.py", "test_nan_in_training.py")]


@pytest.mark.parametrize("tests", ["float32", pytest.param("float", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("isa", sorted({"baseline", "v3", "v4"} - {_core.isa()}))
def test_that_nan_never_disappears_on_any_other_instruction_set(isa, tests):
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", tests, *FILES],
        env=os.environ | {"PYNET_ISA": isa},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "up to what this CPU has" in child.stdout + child.stderr:
        pytest.skip(f"this CPU has no {isa}")
    assert child.returncode == 0, child.stdout[-3000:]
    assert " passed" in child.stdout
