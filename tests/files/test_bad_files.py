"""Damaged, forged and foreign files: each raises CheckpointError that names it, at once, and changes nothing."""

import contextlib
import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from bad_headers import HEADERS, STATES
from bad_npz import NPZ
from bad_safetensors import SAFETENSORS
from made_by_hand import HEADER, STATE, is_the_good_model, npz, safetensors, with_state

import pynet

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)
FILES = [(".npz", bad) for bad in NPZ] + [(".safetensors", bad) for bad in SAFETENSORS]


def refused(path, content):
    """Load it; return what the error says."""
    path.write_bytes(content)
    before = [part if isinstance(part, int | float | str) else part.tobytes() for part in np.random.get_state()]
    with pytest.raises(pynet.CheckpointError) as caught:
        pynet.load(path)
    after = [part if isinstance(part, int | float | str) else part.tobytes() for part in np.random.get_state()]
    assert before == after
    message = str(caught.value)
    assert str(path) in message
    assert len(message) < 1000 + len(str(path))
    assert path.read_bytes() == content
    return message


def test_there_are_forty_bad_files_of_each_format():
    assert len(NPZ) >= 40
    assert len(SAFETENSORS) >= 40
    for rows in (NPZ, SAFETENSORS):
        assert len({bad.name for bad in rows}) == len(rows)


@pytest.mark.parametrize(("ending", "bad"), FILES, ids=lambda value: getattr(value, "name", value))
def test_a_bad_file_raises_checkpoint_error(ending, bad, tmp_path):
    refused(tmp_path / f"model{ending}", bad.make())


@each_format
@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_bad_header_raises_checkpoint_error(ending, header, tmp_path):
    refused(tmp_path / f"model{ending}", with_state(ending, header, STATE))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a huge bias", "larger than the file, which holds 8 numbers"),
        ("a large BatchNorm", "larger than the file, which holds 8 numbers"),
        ("1000 large layers", "larger than the file, which holds 8 numbers"),
        ("dim_in 4", "larger than the file, which holds 8 numbers"),
        ("a thousand million modules", "more than 100000 modules"),
        ("a thousand million modules in a wrong one", "more than 100000 modules"),
        ("itself inside", "repeats module 0, which there is not"),
        ("many empty lists", "too much memory"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_made(name, reason, tmp_path):
    assert reason in refused(tmp_path / "model.npz", with_state(".npz", HEADERS[name], STATE))


@each_format
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_arrays_of_another_model_raise_checkpoint_error(ending, state, tmp_path):
    refused(tmp_path / f"model{ending}", with_state(ending, HEADER, state))


@pytest.mark.parametrize("content", [npz(), safetensors()], ids=FORMATS)
def test_the_good_file_that_the_bad_ones_are_made_from_loads(content, tmp_path):
    path = tmp_path / f"model{FORMATS[content[0:2] != b'PK']}"
    path.write_bytes(content)
    assert is_the_good_model(pynet.load(path))


@pytest.mark.parametrize("seed", range(20))
@each_format
def test_flipped_bits_give_checkpoint_error_or_a_model(ending, seed, tmp_path):
    path = tmp_path / f"model{ending}"
    good, random = with_state(ending, HEADER, STATE), np.random.default_rng(seed)
    for _ in range(20):
        broken = bytearray(good)
        for _ in range(random.integers(1, 4)):
            broken[random.integers(len(broken))] ^= 1 << random.integers(8)
        path.write_bytes(broken)
        with contextlib.suppress(pynet.CheckpointError), warnings.catch_warnings(action="ignore"):
            assert len(pynet.load(path)) == 2


# Of each file in a folder: seconds, peak of memory over what there was before, and size; a good one is loaded first.
MEASURE = """
import json, os, re, sys, time, warnings
import pynet

def peak():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) * 1024

def measured(path):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak is what there is now
    before, start = peak(), time.perf_counter()
    try:
        pynet.load(path)
        outcome = "loaded"
    except Exception as error:
        outcome = type(error).__name__
    return [outcome, time.perf_counter() - start, peak() - before, os.path.getsize(path)]

good, bad = sys.argv[1:]
for name in os.listdir(good):
    pynet.load(os.path.join(good, name))
print(json.dumps({name: measured(os.path.join(bad, name)) for name in sorted(os.listdir(bad))}))
"""


def measured(folder, files):
    """What loading each of these files takes, in a process of its own."""
    for name in ("good", "bad"):
        (folder / name).mkdir()
    for ending in FORMATS:
        (folder / "good" / f"model{ending}").write_bytes(with_state(ending, HEADER, STATE))
    names = {}
    for number, (ending, name, make) in enumerate(files):
        names[f"{number}{ending}"] = name
        (folder / "bad" / f"{number}{ending}").write_bytes(make())
    command = [sys.executable, "-c", MEASURE, str(folder / "good"), str(folder / "bad")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return {names[path]: result for path, result in json.loads(done.stdout).items()}


def assert_bounded(results, seconds=1.0):
    for name, (outcome, time, memory, size) in results.items():
        assert outcome == "CheckpointError", name
        assert time < seconds, (name, time)
        assert memory <= size + 2**24, (name, memory / 2**20, size / 2**20)


@each_format
def test_no_bad_file_takes_long_or_much_memory(ending, tmp_path):
    files = [(ending, bad.name, bad.make) for known, bad in FILES if known == ending]
    files += [(ending, f"header {n}", lambda h=h: with_state(ending, h, STATE)) for n, h in HEADERS.items()]
    assert_bounded(measured(tmp_path, files))


LARGE = 1792  # rows and columns: 25 MiB


def large(architecture_rows=LARGE, name="weight", **others):
    layer = {"class": "pynet.Linear", "arguments": {"dim_in": LARGE, "dim_out": architecture_rows, "bias": True}}
    header = {"format": 1, "architecture": layer, "training": [True]}
    return header, {name: np.ones((LARGE, LARGE)), "bias": np.ones(LARGE)} | others


@each_format
def test_what_is_wrong_in_a_large_file_is_seen_before_memory_is_taken_for_more(ending, tmp_path):
    def checksum_wrong():
        content = bytearray(with_state(ending, *large()))
        content[-5000 if ending == ".npz" else 8] ^= 255
        return bytes(content)

    def of_batch_norm():  # all is as it should be but a count that is no whole number
        size = 2**20
        layer = {"class": "pynet.BatchNorm", "arguments": {"num_features": size}}
        header = {"format": 1, "architecture": layer, "training": [True]}
        names = ("weight", "bias", "running_mean", "running_var")
        return with_state(
            ending, header, {name: np.ones(size) for name in names} | {"num_batches_tracked": np.array(0.5)}
        )

    rows = [
        (ending, "damaged at its end", checksum_wrong),
        (ending, "another name", lambda: with_state(ending, *large(name="W"))),
        (ending, "one too many", lambda: with_state(ending, *large(other=np.ones(3)))),
        (ending, "another shape", lambda: with_state(ending, *large(architecture_rows=LARGE - 1))),
        (ending, "half a batch", of_batch_norm),
        (ending, "of another dtype", lambda: with_state(ending, *large(bias=np.ones(LARGE + 1, np.float32)))),
    ]
    assert_bounded(measured(tmp_path, rows), seconds=2.0)
