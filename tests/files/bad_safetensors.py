"""Files that end in .safetensors and are to be refused."""

import gzip
import json
import pickle
import struct

import numpy as np
from made_by_hand import (
    DATA,
    HEADER,
    TENSORS,
    Bad,
    npz,
    safetensors,
    safetensors_with_bias,
    table_of,
    text_of,
)


def raw(text: bytes, data: bytes = DATA) -> bytes:
    return struct.pack("<Q", len(text)) + text + data


def with_metadata(metadata) -> bytes:
    return safetensors({"__metadata__": metadata} | TENSORS)


def named(name: str) -> bytes:
    return safetensors(table_of(tensors={"0.weight": TENSORS["0.weight"], name: TENSORS["0.bias"]}))


def bias_offsets(text: str) -> bytes:
    """What JSON of another library's making might have there."""
    return raw(json.dumps(table_of()).replace("[48, 64]", text).encode())


def many_tensors(count: int) -> bytes:
    tensors = {f"{n}.w": {"dtype": "F64", "shape": [1], "data_offsets": [8 * n, 8 * n + 8]} for n in range(count)}
    return safetensors(table_of(tensors=tensors), bytes(8 * count))


GOOD = text_of(table_of())

SAFETENSORS = [
    Bad("empty", lambda: b""),
    *(Bad(f"{n} bytes", lambda n=n: safetensors()[:n]) for n in (1, 7, 8, 9)),
    *(
        Bad(f"length {length}", lambda length=length: safetensors(length=length))
        for length in (0, 1, len(GOOD) - 1, len(GOOD) + 1, 10**6, 2**31, 2**40, 2**63, 2**64 - 1)
    ),
    Bad("text", lambda: b"hello" * 100),
    Bad("pickle", lambda: pickle.dumps(np.ones(30))),
    Bad("gzip", lambda: gzip.compress(safetensors())),
    Bad("zip", npz),
    Bad("cut in half", lambda: safetensors()[: len(safetensors()) // 2]),
    Bad("last byte missing", lambda: safetensors()[:-1]),
    Bad("a byte behind it", lambda: safetensors() + b"\0"),
    Bad("no numbers", lambda: safetensors(data=b"")),
    Bad("not UTF-8", lambda: raw(GOOD.replace(b"0.bias", b"0.bia\xff"))),
    Bad("UTF-16", lambda: raw(GOOD.decode().encode("utf-16"))),
    Bad("with a byte order mark", lambda: raw(b"\xef\xbb\xbf" + GOOD)),
    Bad("no JSON", lambda: raw(b"hello")),
    Bad("two values", lambda: raw(GOOD + b"{}")),
    Bad("a comment", lambda: raw(b"// hello\n" + GOOD)),
    *(Bad(f"JSON {text!r}", lambda text=text: raw(text)) for text in (b"[]", b"1", b"null", b'"x"', b"{}", b"NaN")),
    Bad("deep lists", lambda: raw(b"[" * 100_000)),
    Bad("deep objects", lambda: raw(b'{"a":' * 100_000)),
    Bad("a tensor twice", lambda: raw(GOOD[:-1] + b', "0.bias": ' + text_of(TENSORS["0.bias"]) + b"}")),
    Bad("metadata twice", lambda: raw(GOOD[:-1] + b', "__metadata__": {}}')),
    Bad("no metadata", lambda: safetensors(TENSORS)),
    *(
        Bad(f"metadata {metadata!r:.20}", lambda metadata=metadata: with_metadata(metadata))
        for metadata in (
            None,
            1,
            "pynet",
            [],
            ["pynet"],
            {},
            {"pynet": 1},
            {"pynet": None},
            {"pynet": HEADER},
            {"a": ""},
        )
    ),
    Bad("more metadata than texts", lambda: with_metadata({"pynet": json.dumps(HEADER), "n": 1})),
    *(Bad(f"no {key}", lambda key=key: safetensors_with_bias(**{key: "absent"})) for key in TENSORS["0.bias"]),
    Bad("another key", lambda: safetensors_with_bias(strides=[1])),
    Bad("a tensor that is a list", lambda: safetensors(table_of(tensors=TENSORS | {"0.bias": []}))),
    Bad("a tensor that is null", lambda: safetensors(table_of(tensors=TENSORS | {"0.bias": None}))),
    *(
        Bad(f"dtype {dtype!r:.20}", lambda dtype=dtype: safetensors_with_bias(dtype=dtype))
        for dtype in ("F32", "BF16", "C64", "f64", "O", "<f8", "", 8, None, ["F64"], {}, "F64\0")
    ),
    *(
        Bad(f"shape {shape!r:.20}", lambda shape=shape: safetensors_with_bias(shape=shape))
        for shape in (
            [],
            [1],
            [3],
            [2, 1],
            [0],
            [2**40],
            [2**62, 4],
            [2**63],
            [2**64 + 2],
            [-2],
            [-1, -2],
            [2.0],
            [True, 2],
            ["2"],
            [None],
            2,
            "2",
            None,
            {"2": 2},
            [1] * 64 + [2],
            [10**4000],
        )
    ),
    *(
        Bad(f"offsets {offsets}", lambda offsets=offsets: bias_offsets(offsets))
        for offsets in (
            "[48]",
            "[48, 64, 64]",
            "[]",
            "48",
            "null",
            '"48"',
            "{}",
            "[48, 63]",
            "[48, 65]",
            "[64, 48]",
            "[40, 56]",
            "[0, 16]",
            "[56, 72]",
            "[-16, 0]",
            "[48.0, 64]",
            "[48, 64.0]",
            "[4.8e1, 64]",
            "[-0.0, 16]",
            "[false, 16]",
            "[NaN, 64]",
            "[48, Infinity]",
            "[48, 1e999]",
            "[48, 18446744073709551680]",
            "[48, 99999999999999999999999999999999]",
            '["48", "64"]',
            "[[48], 64]",
        )
    ),
    Bad("a hole", lambda: bias_offsets("[56, 72]") + bytes(8)),
    Bad("nothing at the start", lambda: safetensors(table_of(tensors={"0.bias": TENSORS["0.bias"]}))),
    *(
        Bad(f"name {name!r:.12}", lambda name=name: named(name))
        for name in ("0.bias\0", "", "..", "../0.bias", "/0.bias", "0.bias\n", "\u202e0.bias", "x" * 2**20, "0.weights")
    ),
    Bad("10^5 tensors", lambda: many_tensors(10**5)),
]
