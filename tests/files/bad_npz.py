"""Files that end in .npz and are to be refused."""

import bz2
import gzip
import lzma
import pickle
import struct
import zipfile

import numpy as np
from made_by_hand import Bad, archive, entries_of, npy, npy_of, npy_with, npz, npz_with, npz_with_bias

import pynet

DIRECTORY_ENTRY, LOCAL_ENTRY, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def changed(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def in_directory(offset: int, new: bytes) -> bytes:
    """A good file with other bytes in the last entry of its directory."""
    good = npz()
    return changed(good, good.rindex(DIRECTORY_ENTRY) + offset, new)


def in_end(offset: int, new: bytes) -> bytes:
    good = npz()
    return changed(good, good.rindex(END) + offset, new)


def flipped(content: bytes, place: int) -> bytes:
    return changed(content, place, bytes([content[place] ^ 255]))


def with_gap() -> bytes:
    """Eight bytes before the last entry, which the directory knows of."""
    good = npz()
    last, directory = good.rindex(LOCAL_ENTRY), good.index(DIRECTORY_ENTRY)
    moved = good[:last] + bytes(8) + good[last:]
    moved = changed(moved, moved.rindex(DIRECTORY_ENTRY) + 42, struct.pack("<I", last + 8))
    return changed(moved, moved.rindex(END) + 16, struct.pack("<I", directory + 8))


def overlapping() -> bytes:
    """The last entry also as the one before it: twice the numbers for the bytes of one."""
    good = npz()
    first, second, third = (place for place in range(len(good)) if good[place : place + 4] == DIRECTORY_ENTRY)
    end = good.rindex(END)
    assert first < second < third
    moved = changed(good, second + 42, good[third + 42 : third + 46])
    assert len(moved) == len(good)
    assert moved[end:] == good[end:]
    return moved


def nested(count: int) -> bytes:
    """Entries that hold those behind them: with n of them, n times as much comes out."""
    content = npy(np.zeros(1 << 18))
    entries = [("pynet.npy", entries_of()[0][1]), ("state/0.npy", content)]
    good = archive(entries)
    directory = good.index(DIRECTORY_ENTRY)
    entry = good[good.rindex(DIRECTORY_ENTRY) : good.rindex(END)]
    copies = b"".join(entry.replace(b"state/0.npy", b"state/%1d.npy" % number) for number in range(1, count))
    whole = good[: good.rindex(END)] + copies
    return whole + struct.pack("<4s4H2LH", END, 0, 0, count + 1, count + 1, len(whole) - directory, directory, 0)


def many_entries(count: int) -> bytes:
    """A directory that names one entry again and again."""
    good = npz()
    directory, end = good.index(DIRECTORY_ENTRY), good.rindex(END)
    entries = good[good.rindex(DIRECTORY_ENTRY) : end] * count
    number = min(count, 65535)
    return good[:directory] + entries + struct.pack("<4s4H2LH", END, 0, 0, number, number, len(entries), directory, 0)


DEEP = 60_000

NPZ = [
    Bad("empty", lambda: b""),
    *(Bad(f"{n} bytes", lambda n=n: npz()[:n]) for n in (1, 4, 7, 21)),
    Bad("text", lambda: b"hello" * 100),
    Bad("pickle", lambda: pickle.dumps(pynet.ReLU())),
    Bad("gzip", lambda: gzip.compress(npz())),
    Bad("bzip2", lambda: bz2.compress(npz())),
    Bad("xz", lambda: lzma.compress(npz())),
    Bad("a single array", lambda: npy(np.ones(3))),
    Bad("zip of nothing", lambda: archive([])),
    Bad("zip of a text", lambda: archive([("readme.txt", b"hello")])),
    Bad("zip of a pickle", lambda: npz_with_bias(pickle.dumps([1.0, 2.0]))),
    Bad("cut in half", lambda: npz()[: len(npz()) // 2]),
    Bad("last byte missing", lambda: npz()[:-1]),
    Bad("directory missing", lambda: npz()[: npz().index(DIRECTORY_ENTRY)] + npz()[-22:]),
    Bad("first byte missing", lambda: npz()[1:]),
    Bad("a byte behind it", lambda: npz() + b"\0"),
    Bad("zeros behind it", lambda: npz() + bytes(1000)),
    Bad("something before it", lambda: b"#!/bin/sh\n" + npz()),
    Bad("with a comment", lambda: archive(entries_of(), comment=b"hello")),
    Bad("deflated", lambda: archive(entries_of(), zipfile.ZIP_DEFLATED)),
    Bad("bzip2 inside", lambda: archive(entries_of(), zipfile.ZIP_BZIP2)),
    Bad("lzma inside", lambda: archive(entries_of(), zipfile.ZIP_LZMA)),
    Bad("a bomb", lambda: archive([*entries_of(), ("state/b.npy", npy(np.zeros(1 << 22)))], zipfile.ZIP_DEFLATED)),
    Bad("encrypted, it says", lambda: in_directory(8, b"\x01\x00")),
    Bad("compressed, it says", lambda: in_directory(10, b"\x08\x00")),
    Bad("other checksum", lambda: in_directory(16, b"\1\2\3\4")),
    Bad("smaller, it says", lambda: in_directory(20, struct.pack("<2L", 100, 100))),
    Bad("larger, it says", lambda: in_directory(20, struct.pack("<2L", 10**9, 10**9))),
    Bad("larger once unpacked, it says", lambda: in_directory(24, struct.pack("<L", 10**9))),
    Bad("of 4 GiB, it says", lambda: in_directory(20, b"\xff" * 8)),
    Bad("of another name", lambda: in_directory(46, b"statf")),
    Bad("a long name, it says", lambda: changed(npz(), npz().index(DIRECTORY_ENTRY) + 28, b"\xff\xff")),
    Bad("on another disk", lambda: in_directory(42, struct.pack("<L", 2**31))),
    Bad("beyond the end", lambda: in_directory(42, struct.pack("<L", 10**6))),
    Bad("a directory of nothing", lambda: in_end(12, bytes(4))),
    Bad("a directory of 2 GiB", lambda: in_end(12, struct.pack("<L", 2**31))),
    Bad("a directory elsewhere", lambda: in_end(16, struct.pack("<L", 3))),
    Bad("a flipped number", lambda: flipped(npz(), npz().index(DIRECTORY_ENTRY) - 1)),
    Bad("a flipped text", lambda: flipped(npz(), npz().index(b"Linear"))),
    Bad("with a gap", with_gap),
    Bad("overlapping", overlapping),
    Bad("one inside another", lambda: nested(9)),
    Bad("10,000 entries in one place", lambda: many_entries(10_000)),
    Bad("10^6 entries", lambda: many_entries(10**6)),
    Bad("no header", lambda: archive(entries_of()[1:])),
    Bad("two headers", lambda: archive([*entries_of(), entries_of()[0]])),
    Bad("an array twice", lambda: archive([*entries_of(), entries_of()[1]])),
    Bad("a strange entry", lambda: npz_with(("note.npy", npy(np.ones(1))))),
    Bad("a folder", lambda: npz_with(("state/", b""))),
    *(
        Bad(f"name {name!r:.12}", lambda name=name: npz_with((f"state/{name}.npy", npy(np.ones(1)))))
        for name in (
            "0.weight\0",
            "\0",
            "",
            "..",
            "../../0.bias",
            "/etc/passwd",
            "0.bias\n",
            "\u202e0.bias",
            "x" * DEEP,
        )
    ),
    Bad("not an array", lambda: npz_with_bias(b"hello")),
    Bad("an empty array file", lambda: npz_with_bias(b"")),
    Bad("version 2", lambda: npz_with_bias(npy_of("(2,)", version=b"\x02\x00"))),
    Bad("version 2 of 4 GiB", lambda: npz_with_bias(npy_of("(2,)", version=b"\x02\x00", length=2**32 - 1))),
    Bad("version 9", lambda: npz_with_bias(npy_of("(2,)", version=b"\x09\x00"))),
    Bad("a longer description, it says", lambda: npz_with_bias(npy_of("(2,)", length=65535))),
    Bad("a shorter description, it says", lambda: npz_with_bias(npy_of("(2,)", length=10))),
    Bad("a description that is code", lambda: npz_with_bias(npy_with(b"__import__('os').abort()"))),
    Bad("a description of minus signs", lambda: npz_with_bias(npy_with(b"-" * DEEP + b"1"))),
    Bad("a description of brackets", lambda: npz_with_bias(npy_with(b"(" * DEEP))),
    Bad("a description with a sum", lambda: npz_with_bias(npy_of("(1+1,)"))),
    Bad("a description with two shapes", lambda: npz_with_bias(npy_of("(2,), 'shape': (2,)"))),
    *(
        Bad(f"shape {shape:.20}", lambda shape=shape: npz_with_bias(npy_of(shape)))
        for shape in (
            "(3,)",
            "(1,)",
            "()",
            "(2, 1)",
            "(2**40,)",
            f"({2**40},)",
            f"({2**62}, 4)",
            f"({2**63},)",
            f"({2**32}, {2**32})",
            f"(0, {10**30})",
            "(-2,)",
            "(2.0,)",
            "(True, 2)",
            "[2]",
            "2",
            "None",
            f"({'9' * 1500},)",
            f"({'1, ' * 64}2)",
        )
    ),
    *(
        Bad(f"dtype {dtype:.20}", lambda dtype=dtype: npz_with_bias(npy_of("(2,)", dtype)))
        for dtype in ("'|O'", "'<U2'", "'|S8'", "'|V8'", "'<c8'", "'<M8[s]'", "'<f3'", "'f8,f8'", "[('a', '<f8')]", "8")
    ),
    Bad("order 1", lambda: npz_with_bias(npy_of("(2,)", order="1"))),
]
