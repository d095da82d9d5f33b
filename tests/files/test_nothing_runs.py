"""Loading runs nothing: after a first load an audit hook sees the file being opened, and nothing else."""

import json
import subprocess
import sys

import numpy as np
import pytest
from bad_headers import HEADERS
from bad_npz import NPZ
from bad_safetensors import SAFETENSORS
from made_by_hand import HEADER, STATE, archive, entries_of, npy, with_state

import pynet

WATCH = """
import json, os, sys, warnings
import pynet

warnings.simplefilter("error")
good, *paths = sys.argv[1:]
folders = [os.path.join(folder, name) for folder in paths for name in sorted(os.listdir(folder))]

def load(path):
    try:
        pynet.load(path)
    except (ValueError, UserWarning):
        pass

load(good)
seen, path = [], None

def hook(event, arguments):
    # What Python does by itself when an error passes; and the file itself.
    if path is None or event in ("object.__getattr__", "sys._getframe", "builtins.id"):
        return
    if event == "open" and os.fspath(arguments[0]) == path:
        return
    seen.append([os.path.basename(path), event, repr(arguments)[:200]])

sys.addaudithook(hook)
for each in folders:
    path = each
    load(path)
path = None
print(json.dumps(seen))
"""


def seen_while_loading(folder, files):
    (folder / "files").mkdir()
    for number, (ending, content) in enumerate(files):
        (folder / "files" / f"{number}{ending}").write_bytes(content)
    good = folder / f"good{files[0][0]}"
    good.write_bytes(with_state(files[0][0], HEADER, STATE))
    command = [sys.executable, "-c", WATCH, str(good), str(folder / "files")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize(("ending", "rows"), [(".npz", NPZ), (".safetensors", SAFETENSORS)])
def test_an_audit_hook_sees_the_file_alone(ending, rows, tmp_path):
    files = [(ending, with_state(ending, HEADER, STATE))]
    files += [(ending, bad.make()) for bad in rows if "10^" not in bad.name]
    files += [(ending, with_state(ending, header, STATE)) for header in HEADERS.values()]
    assert seen_while_loading(tmp_path, files) == []


def test_the_hook_sees_what_it_is_to_see(tmp_path):
    """NumPy, which reads the same file by evaluating its description, is seen."""
    code = """
import sys, numpy as np
np.load(sys.argv[1])["state/0.bias"]
events = []
sys.addaudithook(lambda event, arguments: events.append(event))
np.load(sys.argv[1])["state/0.bias"]
print("compile" in events and "open" in events)
"""
    (tmp_path / "good.npz").write_bytes(with_state(".npz", HEADER, STATE))
    command = [sys.executable, "-c", code, str(tmp_path / "good.npz")]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "True\n"


class Trap:
    """Runs something when it is unpickled."""

    def __reduce__(self):
        return (print, ("sprung",))


@pytest.mark.parametrize("name", ["state/0.bias.npy", "pynet.npy", "state/trap.npy"])
def test_nothing_is_unpickled(name, tmp_path, capsys):
    import io

    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Trap()], dtype=object))
    entries = dict(entries_of()) | {name: file.getvalue()}
    (tmp_path / "model.npz").write_bytes(archive(entries.items()))
    with pytest.raises(pynet.CheckpointError):
        pynet.load(tmp_path / "model.npz")
    assert capsys.readouterr().out == ""


def test_a_loaded_model_shares_no_memory_with_the_file(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(with_state(".npz", HEADER, STATE))
    model = pynet.load(path)
    path.write_bytes(npy(np.ones(3)))
    for array in model.parameters() + model.grad_parameters():
        assert array.flags.writeable
        array += 1
    np.testing.assert_array_equal(model[0].W, STATE["0.weight"] + 1)
    assert not np.any(model[0].grad_b - 1)
