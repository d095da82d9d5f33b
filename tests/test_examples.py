"""Every example runs, from anywhere, without a word on stderr, and so does the README."""

import importlib.util
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import pynet
from pynet import protocol

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_that_every_example_runs_and_keeps_its_promise(example, tmp_path):
    command = [sys.executable, "-W", "error", str(example)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    if example.stem == "notebook":
        words, accuracy = run.stdout.splitlines()[-1].rsplit(maxsplit=1)
        assert words == "test accuracy"
        assert float(accuracy) >= 0.95
    if example.stem == "residual":
        plain, residual = (float(line.rsplit(maxsplit=1)[1]) for line in run.stdout.splitlines())
        assert residual >= 0.85
        assert plain <= residual - 0.2


def test_that_the_two_networks_of_residual_differ_in_their_short_ways_alone():
    network = runpy.run_path(str(EXAMPLES[0].with_name("residual.py")))["network"]
    plain, residual = ([type(module) for _, module in protocol.modules(network(way))] for way in (False, True))
    assert pynet.Residual not in plain
    assert [pynet.Sequential if cls is pynet.Residual else cls for cls in residual] == plain


def test_that_there_is_the_notebook():
    assert "notebook" in [path.stem for path in EXAMPLES]


def test_that_the_readme_runs_from_top_to_bottom(capsys):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    names = {"__name__": "readme"}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if "sklearn" not in block or importlib.util.find_spec("sklearn"):
            exec(compile(block, "README.md", "exec"), names)
    words, accuracy = capsys.readouterr().out.splitlines()[0].rsplit(maxsplit=1)
    assert words == "test accuracy:"
    assert float(accuracy) >= 0.95
    assert len(names["losses"]) == len(names["order"]) // 32 + 1
