"""The command line, run as a person would."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import pynet

for library in ("click", "tqdm", "matplotlib", "safetensors"):
    pytest.importorskip(library)


def run(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, "-m", "pynet", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def done(*arguments, cwd):
    result = run(*arguments, cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def failed(*arguments, cwd):
    """The one line of a command that ends with code 2."""
    result = run(*arguments, cwd=cwd)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def write_csv(path, header, rows, **options):
    with path.open("w", newline="") as file:
        csv.writer(file, **options).writerows([header, *rows])


def flowers(count=150, seed=0):
    random = np.random.default_rng(seed)
    names = ["setosa", "versicolor", "virginica"]
    return [
        [f"{random.normal(k, 0.2):.3f}", f"{random.normal(2 * k, 0.4):.3f}", "wet" if k else "dry", names[k]]
        for k in np.arange(count) % 3
    ]


FLOWERS = ["petal", "sepal", "soil", "species"]


def houses(count=300):
    random = np.random.default_rng(0)
    area, rooms = random.uniform(30, 200, count), random.integers(1, 6, count)
    towns = random.choice(["Kazan", "Perm"], count)
    price = area * np.where(towns == "Perm", 1, 2) + 10 * rooms + 1000
    return [[f"{a:.2f}", r, t, f"{p:.3f}"] for a, r, t, p in zip(area, rooms, towns, price, strict=True)]


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(head + array.astype(np.uint8).tobytes())


def images(count, seed):
    """Images with a bright band whose place is their class."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    pictures = random.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for label in range(10):
        pictures[labels == label, 2 * label + 3 : 2 * label + 5] += 120
    return pictures, labels


def test_train_digits_writes_a_model_its_figures_and_a_picture(tmp_path):
    out = done("train", "digits", cwd=tmp_path)  # done: no progress bar where nobody looks
    record = json.loads((tmp_path / "digits.json").read_text())
    accuracy = record["results"]["test"]["accuracy"]
    assert accuracy >= 0.96
    assert f"test: accuracy {accuracy:.4g}" in out
    assert record["settings"]["seed"] == 0
    assert {len(values) for values in record["history"].values()} == {record["settings"]["epochs"]}
    assert record["history"]["loss"][-1] < record["history"]["loss"][0] / 5
    assert record["history"]["val_loss"][record["best_epoch"] - 1] == min(record["history"]["val_loss"])
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["digits.json", "digits.png", "digits.safetensors"]

    model = pynet.load(tmp_path / "digits.safetensors").eval()
    X, y = pynet.data.load_digits()
    _, X_test, _, y_test = pynet.data.train_test_split(X, y, stratify=y, seed=0)
    assert np.mean(model(X_test / 16).argmax(axis=1) == y_test) == accuracy

    assert f"accuracy {accuracy:.4g}" in done("evaluate", "digits.safetensors", "digits", cwd=tmp_path)
    text = done("info", "digits.safetensors", cwd=tmp_path)
    assert "Linear(64, 256" in text
    assert "10 classes: 0, 1, 2" in text
    assert "seed 0" in text
    done("plot", "digits.json", cwd=tmp_path)
    assert (tmp_path / "digits.curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_seed_repeats_a_run_and_options_count(tmp_path):
    options = [
        "--epochs",
        "2",
        "--seed",
        "5",
        "--hidden",
        "16,8",
        "--activation",
        "tanh",
        "--dropout",
        "0.1",
        "--batch-norm",
        "--optimizer",
        "sgd",
    ]
    for folder in ("a", "b"):
        out = done("train", "digits", *options, "--no-plot", "--dtype", "float64", "--out", folder, cwd=tmp_path)
    models = [pynet.load(tmp_path / folder / "digits.safetensors") for folder in ("a", "b")]
    states = [model.state_dict() for model in models]
    assert all((array == states[1][name]).all() for name, array in states[0].items())
    assert [type(layer).__name__ for layer in models[0]] == ["Linear", "BatchNorm", "Tanh", "Dropout"] * 2 + ["Linear"]
    assert models[0][0].W.dtype == np.float64
    assert "Linear(64, 16)" in out
    assert not (tmp_path / "a" / "digits.png").exists()


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "sgd"])
def test_every_optimizer_trains_at_its_own_rate(tmp_path, optimizer):
    done("train", "digits", "--epochs", "10", "--optimizer", optimizer, "--hidden", "32", "--no-plot", cwd=tmp_path)
    record = json.loads((tmp_path / "digits.json").read_text())
    assert record["history"]["val_accuracy"][-1] > 0.9
    help_text = " ".join(run("train", "--help", cwd=tmp_path).stdout.split())
    assert f"{optimizer} {record['history']['lr'][0]:g}" in help_text


@pytest.mark.parametrize("schedule", ["constant", "linear", "step", "exponential", "onecycle", "plateau"])
def test_every_schedule_trains(tmp_path, schedule):
    done("train", "digits", "--epochs", "3", "--schedule", schedule, "--no-plot", "--validation", "0", cwd=tmp_path)
    rates = json.loads((tmp_path / "digits.json").read_text())["history"]["lr"]
    assert len(rates) == 3
    assert (len(set(rates)) == 1) == (schedule in ("constant", "plateau"))


def test_texts_and_a_missing_cell(tmp_path):
    rows = flowers()
    write_csv(tmp_path / "flowers.csv", FLOWERS, rows)
    rows[6][1] = " "
    write_csv(tmp_path / "holes.csv", FLOWERS, rows, delimiter=";")
    done("train", "flowers.csv", "--hidden", "16", cwd=tmp_path)
    line = failed("train", "holes.csv", cwd=tmp_path)
    assert "row 8 (the header is row 1), column 'sepal': the cell is missing" in line
    line = failed("evaluate", "flowers.safetensors", "holes.csv", cwd=tmp_path)
    assert "row 8" in line
    assert "'pynet train --missing mean' makes a model that takes such rows" in line
    done("train", "holes.csv", "--missing", "mean", "--epochs", "5", cwd=tmp_path)
    assert "150 rows" in done("evaluate", "holes.safetensors", "holes.csv", cwd=tmp_path)

    text = done("evaluate", "flowers.safetensors", "flowers.csv", cwd=tmp_path)
    assert float(text.split()[1].strip(",")) > 0.95
    assert "versicolor" in text
    write_csv(tmp_path / "new.csv", ["soil", "extra", "sepal", "petal"], [[r[2], "x", r[1], r[0]] for r in flowers(9)])
    predicted = list(csv.DictReader(done("predict", "flowers.safetensors", "new.csv", cwd=tmp_path).splitlines()))
    assert [row["species"] for row in predicted] == [row[3] for row in flowers(9)]
    sums = [sum(float(value) for name, value in row.items() if name.startswith("p(")) for row in predicted]
    assert sums == pytest.approx([1] * 9, abs=1e-4)
    assert "soil (2 texts)" in done("info", "flowers.safetensors", cwd=tmp_path)


def test_amounts_come_back_in_their_units(tmp_path):
    write_csv(tmp_path / "houses.csv", ["area", "rooms", "town", "price"], houses())
    out = done("train", "houses.csv", cwd=tmp_path)
    assert float(out.partition("validation: r2 ")[2].split(",")[0]) > 0.99
    rows = houses()
    write_csv(tmp_path / "new.csv", ["area", "rooms", "town"], [row[:3] for row in rows])
    predicted = [
        float(row["price"])
        for row in csv.DictReader(done("predict", "houses.safetensors", "new.csv", cwd=tmp_path).splitlines())
    ]
    true = np.array([float(row[3]) for row in rows])
    assert np.mean(np.abs(predicted - true)) < 20  # of prices around 1,300
    assert "mae" in done("evaluate", "houses.safetensors", "houses.csv", cwd=tmp_path)
    done("train", "houses.csv", "--target", "area", "--drop", "price,town", "--epochs", "2", cwd=tmp_path)
    assert pynet.load_metadata(tmp_path / "houses.safetensors")["encoding"]["target"]["name"] == "area"


def test_what_was_learned_is_of_the_training_rows_and_is_applied_later(tmp_path):
    X = np.arange(40.0).reshape(20, 2)
    np.savez(tmp_path / "d.npz", X=X, y=np.arange(20) % 2)
    done("train", "d.npz", "--validation", "0.5", "--epochs", "1", "--hidden", "4", cwd=tmp_path)
    learned = pynet.load_metadata(tmp_path / "d.safetensors")["encoding"]["inputs"]
    assert learned["mean"] != X.mean(axis=0).tolist()
    np.savez(tmp_path / "one.npz", X=X[:1])
    model = pynet.load(tmp_path / "d.safetensors").eval()
    scores = model((X[:1] - learned["mean"]) / learned["scale"])
    expected = pynet.SoftMax()(scores)[0]
    row = done("predict", "d.safetensors", "one.npz", cwd=tmp_path).splitlines()[1].split(",")
    assert [float(p) for p in row[1:]] == pytest.approx(expected.tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("y", "options", "task"),
    [
        (np.arange(30) % 3, [], "classification"),
        (np.arange(30) % 3, ["--task", "regression"], "regression"),
        (np.linspace(0, 1, 30), [], "regression"),
        (np.array(["a", "b", "c"] * 10), [], "classification"),
        (np.random.default_rng(0).normal(size=(30, 2)), [], "regression"),
        (np.arange(30.0) % 2, [], "classification"),
    ],
)
def test_the_task_is_as_the_target_looks_unless_told_otherwise(tmp_path, y, options, task):
    np.savez(tmp_path / "d.npz", X=np.random.default_rng(0).normal(size=(30, 3)), y=y)
    done("train", "d.npz", "--epochs", "2", "--no-plot", *options, cwd=tmp_path)
    record = json.loads((tmp_path / "d.json").read_text())
    assert record["settings"]["task"] == task
    done("evaluate", "d.safetensors", "d.npz", cwd=tmp_path)


def test_mnists_files_with_sixty_thousand_images(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for prefix, count, ending in (("train", 60_000, ""), ("t10k", 1_000, ".gz")):
        pictures, labels = images(count, seed=count)
        write_idx(folder / f"{prefix}-images-idx3-ubyte{ending}", pictures)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{ending}", labels)
    out = done("train", "mnist", "--hidden", "16", "--epochs", "1", "--batch-size", "256", cwd=tmp_path)
    assert "trained on 48,000 rows" in out
    text = done("evaluate", "mnist.safetensors", "mnist", cwd=tmp_path)
    assert "(1,000 rows)" in text
    assert float(text.split()[1].strip(",")) > 0.9


def test_ctrl_c_ends_with_130_and_the_best_so_far(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "pynet", "train", "digits", "--epochs", "100000", "--schedule", "constant"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "stopped: interrupted" in out
    record = json.loads((tmp_path / "digits.json").read_text())
    assert record["stopped"] == "interrupted"
    model = pynet.load(tmp_path / "digits.safetensors")
    assert model[0].W.shape == (256, 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "Missing argument 'DATA'"),
        (["train", "nothing"], "there is no such file"),
        (["train", "digits", "--epochs", "0"], "--epochs"),
        (["train", "digits", "--dropout", "1"], "--dropout"),
        (["train", "digits", "--dropout", "nan"], "--dropout"),
        (["train", "digits", "--lr", "nan"], "--lr"),
        (["train", "digits", "--hidden", "99999999999"], "not from 1 to 100000"),
        (["train", "digits", "--hidden", "12,x"], "not a list of whole numbers"),
        (["train", "digits", "--out", "/dev/null/x"], "--out"),
        (["train", "digits", "--batch-norm", "--batch-size", "1"], "--batch-norm"),
        (["train", "digits", "--drop", "x"], "--drop"),
        (["train", "data.txt"], "must be 'digits'"),
        (["train", "table.csv", "--target", "size"], "there is no column 'size'; there are 'a', 'b'"),
        (["train", "table.csv", "--drop", "a"], "no column to learn from"),
        (["train", "ragged.csv"], "row 3 (the header is row 1) has 1 cell separated by ',', expected 2"),
        (["train", "empty.csv"], "has no rows"),
        (["train", "binary.csv"], "is not text in UTF-8"),
        (["train", "typo.csv"], "row 12 (the header is row 1), column 'a': '1O' is no number"),
        (["train", "target.csv"], "row 3 (the header is row 1), column 'b': the target is missing"),
        (["train", "bad.npz"], "cannot be read as an .npz file"),
        (["train", "noy.npz"], "has no array 'y'; there are 'X'"),
        (["train", "nan.npz"], "X has nan in row 1, column 2"),
        (["train", "."], "must hold train-images-idx3-ubyte"),
        (["evaluate", "nothing.npz", "digits"], "there is no such file"),
        (["evaluate", "bad.npz", "digits"], "is damaged"),
        (["evaluate", "plain.npz", "digits"], "that 'pynet train' has not written"),
        (["info", "table.csv"], "path must end in .npz or .safetensors"),
        (["train", "digits", "--lr", "inf"], "--lr"),
        (["train", "table.csv", "--validation", "0.9"], "--validation 0.9 of 2 rows leaves none to train on"),
        (["train", "digits", "--target", "x"], "--target names a column of a CSV file"),
        (["info", "."], "there is no such file"),
        (["plot", "nothing.json"], "there is no such file"),
        (["plot", "table.csv"], "is no table of a training run"),
        (["fly"], "No such command 'fly'"),
        (["train", "digits", "--speed"], "--speed"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments, message, tmp_path):
    (tmp_path / "data.txt").touch()
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "empty.csv").write_text("a,b\n")
    (tmp_path / "binary.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    (tmp_path / "typo.csv").write_text("a,b\n" + "1,2\n" * 10 + "1O,2\n" + "3,1\n" * 20)
    (tmp_path / "target.csv").write_text("a,b\n1,2\n3,NA\n")
    (tmp_path / "bad.npz").write_bytes(b"PK\3\4 nonsense")
    np.savez(tmp_path / "noy.npz", X=np.ones((3, 2)))
    np.savez(tmp_path / "nan.npz", X=[[1, 2, 3], [4, 5, np.nan]], y=[0, 1])
    pynet.save(pynet.Linear(2, 2), tmp_path / "plain.npz")
    before = sorted(tmp_path.iterdir())
    assert message in failed(*arguments, cwd=tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_later_data_must_be_like_the_first(tmp_path):
    write_csv(tmp_path / "flowers.csv", FLOWERS, flowers())
    done("train", "flowers.csv", "--epochs", "2", "--no-plot", cwd=tmp_path)
    strange = flowers(5)
    strange[3][2] = "mud"
    write_csv(tmp_path / "strange.csv", FLOWERS, strange)
    line = failed("predict", "flowers.safetensors", "strange.csv", cwd=tmp_path)
    assert "row 5 (the header is row 1), column 'soil': 'mud' is not one of those in training: 'dry', 'wet'" in line
    strange[3][2:] = ["dry", "rose"]
    write_csv(tmp_path / "strange.csv", FLOWERS, strange)
    line = failed("evaluate", "flowers.safetensors", "strange.csv", cwd=tmp_path)
    assert "target 'species' has 'rose', which is no class of the model" in line
    write_csv(tmp_path / "less.csv", FLOWERS[1:], [row[1:] for row in flowers(5)])
    assert "there is no column 'petal'" in failed("predict", "flowers.safetensors", "less.csv", cwd=tmp_path)
    assert "must be a .csv file" in failed("evaluate", "flowers.safetensors", "digits", cwd=tmp_path)


def test_help_shows_an_example_of_every_command(tmp_path):
    text = done("--help", cwd=tmp_path)
    for command in ("train", "evaluate", "predict", "info", "plot"):
        assert command in text
        assert f"Example: pynet {command}" in done(command, "--help", cwd=tmp_path)
    assert done(cwd=tmp_path) == text
    assert pynet.__version__ in done("--version", cwd=tmp_path)


def test_words_can_be_completed(tmp_path):
    environment = {**os.environ, "_PYNET_COMPLETE": "bash_complete", "COMP_WORDS": "pynet tr", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'pynet'; from pynet.__main__ import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert "train" in result.stdout


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    X = np.random.default_rng(0).normal(size=(20_000, 2))
    np.savez(tmp_path / "d.npz", X=X, y=(X[:, 0] > 0).astype(int))
    done("train", "d.npz", "--epochs", "1", "--hidden", "4", "--no-plot", cwd=tmp_path)
    command = f"{sys.executable} -m pynet predict d.safetensors d.npz | head -1"
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout == "y,p(0),p(1)\n"
    assert "Traceback" not in result.stderr


def test_a_missing_library_is_named(tmp_path):
    code = "import sys; sys.modules['click'] = None; from pynet.__main__ import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert result.stderr.strip() == "pynet: the command line needs 'click': pip install 'pynet[train]'"


def test_a_constant_column_says_nothing_later_either(tmp_path):
    random = np.random.default_rng(0)
    rows = [[f"{x:.3f}", "0.1", f"{2 * x:.3f}"] for x in random.normal(size=60)]
    write_csv(tmp_path / "d.csv", ["a", "k", "t"], rows)
    done("train", "d.csv", "--epochs", "5", "--no-plot", cwd=tmp_path)
    write_csv(tmp_path / "new.csv", ["a", "k"], [["0.5", "0.1"], ["0.5", "0.2"]])
    same, shifted = (float(v) for v in done("predict", "d.safetensors", "new.csv", cwd=tmp_path).split()[1:])
    assert abs(same - shifted) < 1


def test_classes_that_look_like_numbers_in_one_file_are_texts_as_in_the_other(tmp_path):
    write_csv(tmp_path / "d.csv", ["a", "t"], [[k, "12x"[k % 3]] for k in range(60)])
    done("train", "d.csv", "--epochs", "2", "--no-plot", cwd=tmp_path)
    write_csv(tmp_path / "some.csv", ["a", "t"], [[k, "12"[k % 2]] for k in range(6)])
    assert "6 rows" in done("evaluate", "d.safetensors", "some.csv", cwd=tmp_path)
