"""Model files put together by hand, so that every byte of them can be wrong: a good one, and what tells it from one."""

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pynet


class Bad(NamedTuple):
    """A file that is to be refused."""

    name: str
    make: Callable[[], bytes]


def sequential(*layers):
    return {"class": "pynet.Sequential", "arguments": {"layers": list(layers)}}


def layer(name, **arguments):
    return {"class": name, "arguments": arguments}


LINEAR = layer("pynet.Linear", dim_in=3, dim_out=2, bias=True, dtype="float64")
HEADER = {"format": 1, "architecture": sequential(LINEAR, layer("pynet.ReLU")), "training": [True] * 3}
STATE = {"0.weight": np.arange(6.0).reshape(2, 3), "0.bias": np.array([0.5, -1.0])}


def text_of(header: Any) -> bytes:
    return header if isinstance(header, bytes) else json.dumps(header).encode()


def npy(array) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array))
    return file.getvalue()


def npy_of(shape, dtype="'<f8'", data=bytes(16), order="False", version=b"\x01\x00", length=None) -> bytes:
    """An array whose description says what it likes."""
    header = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}"
    return npy_with(header.encode(), data, version, length)


def npy_with(header: bytes, data=bytes(16), version=b"\x01\x00", length=None) -> bytes:
    size = "<H" if version == b"\x01\x00" else "<I"
    header += b" " * (-(len(header) + 10 + 1) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack(size, len(header) if length is None else length) + header + data


def entries_of(header: Any = HEADER, state: Any = STATE) -> list[tuple[str, bytes]]:
    text = np.frombuffer(text_of(header), np.uint8)
    return [("pynet.npy", npy(text)), *((f"state/{name}.npy", npy(array)) for name, array in state.items())]


def archive(entries, compression=zipfile.ZIP_STORED, comment=b"") -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", compression) as made:
        for name, content in entries:
            made.writestr(zipfile.ZipInfo(name) if compression == zipfile.ZIP_STORED else name, content)
        made.comment = comment
    return file.getvalue()


def npz(header: Any = HEADER, state: Any = STATE) -> bytes:
    return archive(entries_of(header, state))


def npz_with(*more: tuple[str, bytes]) -> bytes:
    """A good file with further entries."""
    return archive([*entries_of(), *more])


def npz_with_bias(content: bytes) -> bytes:
    """A good file but for the bytes of one array."""
    return archive([*entries_of()[:2], ("state/0.bias.npy", content)])


TENSORS = {
    "0.weight": {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]},
    "0.bias": {"dtype": "F64", "shape": [2], "data_offsets": [48, 64]},
}
DATA = b"".join(array.tobytes() for array in STATE.values())


def table_of(header: Any = HEADER, tensors: Any = TENSORS) -> dict[str, Any]:
    return {"__metadata__": {"pynet": text_of(header).decode()}} | tensors


def safetensors(table: Any = None, data: bytes = DATA, length: int | None = None) -> bytes:
    text = text_of(table_of() if table is None else table)
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def safetensors_with_bias(data: bytes = DATA, **changes: Any) -> bytes:
    """A good file but for what the table says of one tensor."""
    tensors = TENSORS | {"0.bias": {k: v for k, v in (TENSORS["0.bias"] | changes).items() if v != "absent"}}
    return safetensors(table_of(tensors=tensors), data)


def with_state(ending: str, header: Any, state: dict[str, np.ndarray]) -> bytes:
    """A file of either format."""
    if ending == ".npz":
        return npz(header, state)
    names = {"float64": "F64", "float32": "F32", "int64": "I64"}
    tensors, place = {}, 0
    for name, array in state.items():
        offsets = [place, place + array.nbytes]
        tensors[name] = {"dtype": names[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        place += array.nbytes
    return safetensors(table_of(header, tensors), b"".join(array.tobytes() for array in state.values()))


def is_the_good_model(model: Any) -> bool:
    return all(np.array_equal(model.state_dict()[name], array) for name, array in STATE.items()) and isinstance(
        model[1], pynet.ReLU
    )
