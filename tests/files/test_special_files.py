"""What lies at a path and is no file to read: the system's errors stay the system's, and nothing waits or runs over."""

import errno
import io
import os
import re
import stat
import subprocess
import sys
import tempfile
import threading

import numpy as np
import pytest
from made_by_hand import HEADER, STATE, with_state

import pynet

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)


@each_format
@pytest.mark.parametrize("load", [pynet.load, pynet.load_metadata], ids=["load", "load_metadata"])
def test_what_is_no_file_raises_at_once(ending, load, tmp_path):
    os.mkfifo(tmp_path / f"fifo{ending}")
    os.mkdir(tmp_path / f"folder{ending}")
    for device in ("zero", "null", "full"):
        (tmp_path / f"{device}{ending}").symlink_to(f"/dev/{device}")
    for name in ("fifo", "folder", "zero", "null", "full"):
        with pytest.raises(pynet.CheckpointError, match=rf"{name}\{ending} is no regular file"):
            load(tmp_path / f"{name}{ending}")


@each_format
def test_the_systems_errors_are_the_systems(ending, tmp_path):
    (tmp_path / f"loop{ending}").symlink_to(tmp_path / f"loop{ending}")
    (tmp_path / f"dangling{ending}").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    names = {
        f"absent{ending}": errno.ENOENT,
        f"dangling{ending}": errno.ENOENT,
        f"loop{ending}": errno.ELOOP,
        f"file/model{ending}": errno.ENOTDIR,
        "x" * 300 + ending: errno.ENAMETOOLONG,
    }
    for name, number in names.items():
        with pytest.raises(OSError, match=re.escape(str(tmp_path / name))) as caught:
            pynet.load(tmp_path / name)
        assert caught.value.errno == number


@each_format
def test_a_fifo_that_comes_in_the_files_place_is_not_waited_for(ending, tmp_path, monkeypatch):
    path = tmp_path / f"model{ending}"
    os.mkfifo(path)
    monkeypatch.setattr(stat, "S_ISREG", lambda mode: True)  # it was one when that was asked
    with pytest.raises((pynet.CheckpointError, OSError)):
        pynet.load(path)


@each_format
def test_a_file_without_permission_is_a_permission_error(ending):
    """In a process that is not root."""
    code = """
import json, os, sys, zipfile  # now: soon nothing can be imported
import pynet
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    pynet.load(sys.argv[1])
except PermissionError as error:
    print(error.errno, error.filename == sys.argv[1])
try:
    pynet.save(pynet.ReLU(), os.path.join(os.path.dirname(sys.argv[1]), "new" + sys.argv[2]))
except PermissionError as error:
    print(error.errno)
"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"model{ending}")
        pynet.save(pynet.Linear(2, 2), path)
        os.chmod(path, 0)
        os.chmod(folder, 0o555)
        try:
            command = [sys.executable, "-c", code, path, ending]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert (done.stdout, done.stderr) == ("13 True\n13\n", "")
            assert os.listdir(folder) == [f"model{ending}"]
        finally:
            os.chmod(folder, 0o755)


class Shrinking(io.BufferedReader):
    """A file that somebody cuts after a number of reads."""

    left = 0

    def read(self, size=-1):
        if self.left == 0:
            os.truncate(self.name, 40)
        type(self).left -= 1
        return super().read(size)


@each_format
def test_a_file_that_shrinks_while_it_is_read_raises_checkpoint_error(ending, tmp_path, monkeypatch):
    path = tmp_path / f"model{ending}"
    state = {"0.weight": np.ones((300, 300)), "0.bias": np.ones(300)}
    layer = {"class": "pynet.Linear", "arguments": {"dim_in": 300, "dim_out": 300, "bias": True}}
    header = HEADER | {"architecture": {"class": "pynet.Sequential", "arguments": {"layers": [layer]}}}
    content = with_state(ending, header | {"training": [True] * 2}, state)
    opened = lambda path, mode, opener: Shrinking(io.FileIO(path, mode, opener=opener))  # noqa: E731
    monkeypatch.setattr(pynet.saving, "open", opened, raising=False)
    outcomes = []
    for reads in range(100):
        path.write_bytes(content)
        Shrinking.left = reads
        try:
            pynet.load(path)
        except pynet.CheckpointError:
            outcomes.append("refused")
            continue
        outcomes.append("loaded")
        break
    assert outcomes[-1] == "loaded"  # cut when all was read
    assert len(outcomes) >= 3


@each_format
def test_an_error_of_the_disk_is_an_os_error_that_names_the_file(ending, tmp_path, monkeypatch):
    class Broken(io.BufferedReader):
        def read(self, size=-1):
            raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / f"model{ending}"
    path.write_bytes(with_state(ending, HEADER, STATE))
    opened = lambda path, mode, opener: Broken(io.FileIO(path, mode, opener=opener))  # noqa: E731
    monkeypatch.setattr(pynet.saving, "open", opened, raising=False)
    with pytest.raises(OSError, match=f"Input/output error: '{path}'"):
        pynet.load(path)


@each_format
def test_too_little_memory_is_a_memory_error(ending, tmp_path):
    code = """
import resource, sys
import pynet
pynet.load(sys.argv[1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (20 << 20), -1))
try:
    pynet.load(sys.argv[2])
except MemoryError:
    print("MemoryError")
"""
    pynet.save(pynet.Linear(2, 2), tmp_path / f"small{ending}")
    pynet.save(pynet.Linear(2000, 2000), tmp_path / f"large{ending}")
    command = [sys.executable, "-c", code, *(str(tmp_path / f"{size}{ending}") for size in ("small", "large"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("MemoryError\n", "")


@each_format
def test_loading_in_threads_touches_nobodys_random_numbers(ending, tmp_path):
    """Another thread draws all the time; what it draws is what it would have drawn alone."""
    path = tmp_path / f"model{ending}"
    pynet.save(pynet.Sequential(pynet.Linear(20, 20), pynet.Dropout()), path)
    np.random.seed(7)
    expected = np.random.random(20_000)
    np.random.seed(7)
    stop = threading.Event()

    def load():
        while not stop.is_set():
            pynet.load(path)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        drawn = np.array([np.random.random() for _ in range(20_000)])
    finally:
        stop.set()
        thread.join()
    np.testing.assert_array_equal(drawn, expected)
