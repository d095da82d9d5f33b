"""Saves that fail, are killed, or meet others: there is the old file or the new one, and nothing is left beside it."""

import contextlib
import errno
import fcntl
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import pynet
from pynet.callbacks import Checkpoint

FORMATS = [".npz", ".safetensors"]
each_format = pytest.mark.parametrize("ending", FORMATS)


def model_of(number, size=20):
    """A model of which every weight is that number."""
    model = pynet.Sequential(pynet.Linear(size, size, seed=0), pynet.ReLU())
    for array in model.parameters():
        array[...] = number
    return model


def number_in(path):
    """The number of a model that was saved whole."""
    numbers = {float(number) for array in pynet.load(path).parameters() for number in (array.min(), array.max())}
    assert len(numbers) == 1
    return numbers.pop()


def save_model(path, number):
    pynet.save(model_of(number), path)


def save_run(path, number):
    """A Trainer's checkpoint of a model of that number: nothing moves it."""
    model = model_of(number, 4)
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.Adam(model, 0.0), Checkpoint(path))
    trainer.fit(np.ones((4, 4)), np.ones((4, 4)), epochs=1)


each_writer = pytest.mark.parametrize("save", [save_model, save_run])


class Failing:
    """A function that fails when it is called for the n-th time, in one count with others."""

    def __init__(self, function, calls, failing, error):
        self.function, self.calls, self.failing, self.error = function, calls, failing, error

    def __call__(self, *args, **kwargs):
        self.calls.append(self.function.__name__)
        if len(self.calls) == self.failing:
            raise self.error
        return self.function(*args, **kwargs)


CALLS = ["open", "fsync", "replace", "fchmod", "fchown", "fstat", "lstat", "scandir", "urandom", "close"]
ERRORS = [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error"), KeyboardInterrupt()]


@each_format
@each_writer
@pytest.mark.parametrize("error", ERRORS, ids=["ENOSPC", "EIO", "Ctrl-C"])
def test_whatever_call_fails_there_is_the_old_file_or_the_new_one(ending, save, error, tmp_path, monkeypatch):
    path = tmp_path / f"model{ending}"
    save(path, 1)
    os.chmod(path, 0o640)
    outcomes = []
    for failing in range(1, 100):
        calls = []
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, Failing(getattr(os, name), calls, failing, error))
            patch.setattr(fcntl, "flock", Failing(fcntl.flock, calls, failing, error))
            try:
                save(path, 2)
                outcomes.append("saved")
            except type(error):
                outcomes.append("failed")
        assert os.listdir(tmp_path) == [path.name], calls
        assert number_in(path) == (2 if outcomes[-1] == "saved" or "replace" in calls[:-1] else 1), calls
        assert path.stat().st_mode & 0o777 == 0o640
        save(path, 1)
        os.chmod(path, 0o640)
        if len(calls) < failing:
            break
    assert outcomes[-1] == "saved"
    assert outcomes.count("failed") >= 4
    assert {"open", "fsync", "replace", "fchmod"} <= set(calls)


class Full:
    """A file that takes no more than so many bytes, and then fails."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, content):
        size = memoryview(content).nbytes
        if size > self._room:
            self._file.write(memoryview(content).cast("B")[: self._room] if size else b"")
            self._room = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        self._room -= size
        return self._file.write(content)

    def __getattr__(self, name):
        return getattr(self._file, name)


def with_room_for(size, new_file=pynet.replacing._new_file):
    @contextlib.contextmanager
    def new_full_file(folder):
        with new_file(folder) as (name, file):
            yield name, Full(file, size)

    return new_full_file


@each_format
@each_writer
def test_whatever_write_fails_there_is_the_old_file(ending, save, tmp_path, monkeypatch):
    path = tmp_path / f"model{ending}"
    save(path, 1)
    size = path.stat().st_size
    for room in sorted({0, 1, 7, 30, 100, *range(0, size, size // 25), size - 23, size - 22, size - 1}):
        with monkeypatch.context() as patch:
            patch.setattr(pynet.replacing, "_new_file", with_room_for(room))
            with pytest.raises(OSError, match="No space"):
                save(path, 2)
        assert os.listdir(tmp_path) == [path.name]
        assert number_in(path) == 1


@each_format
def test_a_full_disk_leaves_the_old_file(ending, tmp_path):
    """As the system has it: a limit on the size of files, which a write meets in its middle."""
    path = tmp_path / f"model{ending}"
    save_model(path, 1)
    size = path.stat().st_size
    signal_before, limit = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for room in range(0, size, size // 10):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
            with pytest.raises(OSError, match="File too large"):
                save_model(path, 2)
            assert os.listdir(tmp_path) == [path.name]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, signal_before)
    assert number_in(path) == 1


SAVE_ON = """
import sys
import numpy as np, pynet
from test_failing_saves import model_of
path, first, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
models = [model_of(number, 300) for number in range(first, first + 20 * step, step)]
print("ready", flush=True)
while True:
    for model in models:
        pynet.save(model, path)
"""


def saving(path, first=1, step=1):
    """A process that saves models of the numbers from `first` on, one after another, until it is killed."""
    command = [sys.executable, "-c", SAVE_ON, str(path), str(first), str(step)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    return process


def stop(process):
    process.kill()
    process.wait()
    process.stdout.close()


def killed_saves(path, times):
    chance, left = random.Random(0), 0
    for _ in range(times):
        process = saving(path)
        try:
            while not path.exists():
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
        finally:
            stop(process)
        left += len(os.listdir(path.parent)) - 1
        assert number_in(path) in {*range(1, 21), 99}
        save_model(path, 99)
        assert os.listdir(path.parent) == [path.name]
    return left


@each_format
def test_a_killed_save_leaves_a_whole_file_and_the_next_one_nothing_beside_it(ending, tmp_path):
    killed_saves(tmp_path / f"model{ending}", 3)


@pytest.mark.thorough
@each_format
def test_thirty_killed_saves_leave_whole_files(ending, tmp_path):
    assert killed_saves(tmp_path / f"model{ending}", 30) > 0  # some were hit while they wrote


def test_what_a_killed_save_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    left, written = tmp_path / f".pynet-{'0' * 16}.new", tmp_path / f".pynet-{'1' * 16}.new"
    others = [tmp_path / name for name in (".pynet-1.new", f"pynet-{'0' * 16}.new", f".pynet-{'0' * 16}.news")]
    for path in (left, written, *others):
        path.write_bytes(b"some")
    with open(written, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        save_model(tmp_path / "model.npz", 1)
    assert sorted(tmp_path.iterdir()) == sorted([written, *others, tmp_path / "model.npz"])
    save_model(tmp_path / "other.npz", 1)
    assert not written.exists()


def test_a_new_file_that_is_taken_for_a_left_one_is_made_again(tmp_path, monkeypatch):
    flock, times = fcntl.flock, []

    def late(file, operation):
        if not times:  # somebody else was faster
            os.unlink(file.name)
        times.append(operation)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    save_model(tmp_path / "model.npz", 1)
    assert number_in(tmp_path / "model.npz") == 1
    assert len(times) == 2


@each_format
def test_two_processes_save_at_once_and_a_reader_always_sees_a_whole_file(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    processes = [saving(path, first, 2) for first in (1, 2)]
    try:
        while not path.exists():
            time.sleep(0.001)
        end, seen = time.monotonic() + 1, set()
        while time.monotonic() < end or len(seen) < 2:
            seen.add(number_in(path))
    finally:
        for process in processes:
            stop(process)
    assert seen <= set(range(1, 41))
    save_model(path, 50)
    assert os.listdir(tmp_path) == [path.name]


@each_format
def test_threads_save_at_once(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    threads = [threading.Thread(target=lambda n=n: [save_model(path, n) for _ in range(10)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert number_in(path) in range(8)
    assert os.listdir(tmp_path) == [path.name]


@each_writer
def test_links_modes_and_owners_stay(save, tmp_path):
    target, link = tmp_path / "target.npz", tmp_path / "link.npz"
    link.symlink_to(target)
    save(link, 1)
    os.chmod(target, 0o604)
    if os.geteuid() == 0:
        os.chown(target, 12345, 54321)
    before = target.stat()
    save(link, 2)
    after = target.stat()
    assert link.is_symlink()
    assert number_in(target) == number_in(link) == 2
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_what_is_no_file_is_not_replaced(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    os.mkfifo(tmp_path / "fifo.npz")
    (tmp_path / "loop.npz").symlink_to("loop.npz")
    (tmp_path / "device.npz").symlink_to("/dev/full")
    before = sorted(tmp_path.iterdir())
    for name in ("folder.npz", "fifo.npz", "loop.npz", "device.npz"):
        with pytest.raises(OSError, match=rf"{name}|/dev/full"):
            save_model(tmp_path / name, 1)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "loop.npz").is_symlink()
