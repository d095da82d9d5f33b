"""The command line, run as a person would."""

import json
import subprocess
import sys

import numpy as np
import pytest

import pynet

for library in ("click", "tqdm", "matplotlib", "safetensors"):
    pytest.importorskip(library)


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "pynet", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_train_digits_writes_a_model_its_figures_and_a_picture(tmp_path):
    result = run("train", "digits", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stderr == ""  # no progress bar where nobody looks
    record = json.loads((tmp_path / "digits.json").read_text())
    assert record["test_accuracy"] >= 0.96
    assert f"test accuracy: {record['test_accuracy']:.4f}" in result.stdout
    assert record["settings"]["seed"] == 0
    assert {len(values) for values in record["history"].values()} == {record["settings"]["epochs"]}
    assert record["history"]["test_accuracy"][-1] == record["test_accuracy"]
    assert record["history"]["loss"][-1] < record["history"]["loss"][0] / 5
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")

    model = pynet.load(tmp_path / "digits.safetensors")
    X, y = pynet.data.load_digits()
    split = pynet.data.train_test_split(X / 16, y, stratify=y, seed=np.random.default_rng(0))
    assert np.mean(model(split[1]).argmax(axis=1) == split[3]) == record["test_accuracy"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["digits.json", "digits.png", "digits.safetensors"]


def test_a_seed_repeats_a_run_and_options_count(tmp_path):
    for folder in ("a", "b"):
        result = run("train", "digits", "--epochs", "2", "--seed", "5", "--hidden", "16", "--out", folder, cwd=tmp_path)
        assert result.returncode == 0
    models = [(tmp_path / folder / "digits.safetensors").read_bytes() for folder in ("a", "b")]
    assert models[0] == models[1]
    assert "Linear(64, 16" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "nothing"],
        ["train", "digits", "--epochs", "0"],
        ["train", "digits", "--dropout", "1"],
        ["train", "digits", "--dropout", "nan"],
        ["train", "digits", "--lr", "nan"],
        ["train", "digits", "--hidden", "99999999999"],
        ["fly"],
        ["train", "digits", "--out", "/dev/null/x"],
    ],
)
def test_wrong_arguments_end_with_one_clear_line_and_code_2(arguments, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_shows_an_example(tmp_path):
    result = run("train", "--help", cwd=tmp_path)
    assert "Example: pynet train digits" in result.stdout
    assert pynet.__version__ in run("--version", cwd=tmp_path).stdout


def test_a_missing_library_is_named(tmp_path):
    code = "import sys; sys.modules['click'] = None; from pynet.__main__ import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert result.stderr.strip() == "pynet: the command line needs 'click': pip install 'pynet[train]'"
