"""Saving and loading under wrong arguments."""

import os
import tempfile

import numpy as np
from calls_of_layers import network
from wrong_calls import function
from wrong_values import NO_MODULE, NO_PATH, nan, wrong

import pynet


def somewhere() -> str:
    return os.path.join(tempfile.mkdtemp(prefix="pynet-"), "model.npz")


def saved() -> str:
    path = somewhere()
    pynet.save(network(), path)
    return path


ENDINGS = wrong(
    ValueError, "{} must end in", text="model.txt", no_ending="model", upper="model.NPZ", empty="", dot=".npz"
)
NOT_THERE = wrong(FileNotFoundError, "nowhere", missing="/nowhere/model.npz")
NO_CLASSES = [
    *wrong(TypeError, "{} must be a list of classes", none=None, number=5, text="Scale", names=["Scale"], nones=[None]),
    *wrong(TypeError, "{} must be a list of classes", a_class=pynet.Linear, dict={"Scale": pynet.Linear}),
]
METADATA = [
    *wrong(
        TypeError, "{} must be what JSON can hold", set={1}, bytes=b"a", complex=1j, object=object(), array=np.ones(2)
    ),
    *wrong(ValueError, "{} must be what JSON can hold", nan=nan, inf=[1.0, {"a": np.inf}]),
]

CALLS = [
    function(
        "save",
        pynet.save,
        lambda: {"model": network(), "path": somewhere(), "metadata": {"a": [1]}},
        wrong={
            "model": [row._replace(says="[mM]odule.*got") for row in NO_MODULE],
            "path": NO_PATH + ENDINGS + NOT_THERE,
            "metadata": METADATA,
        },
    ),
    function(
        "load",
        pynet.load,
        lambda: {"path": saved()},
        wrong={"path": NO_PATH + ENDINGS + NOT_THERE, "classes": NO_CLASSES},
    ),
    function(
        "load_metadata", pynet.load_metadata, lambda: {"path": saved()}, wrong={"path": NO_PATH + ENDINGS + NOT_THERE}
    ),
]
