"""Conversions from and to PyTorch under wrong arguments, which are looked at before PyTorch is."""

from wrong_calls import function
from wrong_values import NO_MAPPING, made, without_none, wrong

import pynet

NO_FUNCTIONS = [
    *without_none(NO_MAPPING),
    *wrong(TypeError, "others must have functions by class", by_name={"ReLU": print}, no_function={pynet.ReLU: 5}),
]
CALLS = [
    function(
        "from_torch",
        pynet.from_torch,
        lambda: {"module": _Theirs(), "others": {_Theirs: lambda module: pynet.ReLU()}},
        wrong={
            "module": [
                *wrong(TypeError, "module must be a torch.nn.Module, got", none=None, number=5, text="ReLU", list=[]),
                *made(TypeError, "got ReLU", ours=pynet.ReLU),
                *wrong(TypeError, "got type", a_class=pynet.ReLU),
            ],
            "others": NO_FUNCTIONS,
        },
    ),
    function(
        "to_torch",
        pynet.to_torch,
        lambda: {"model": pynet.ReLU(), "others": {pynet.ReLU: lambda module: 5}},
        wrong={
            "model": [
                *wrong(TypeError, "model must be a module or a criterion, got", none=None, number=5, text="ReLU"),
                *wrong(TypeError, "got type", a_class=pynet.ReLU),
            ],
            "others": NO_FUNCTIONS,
        },
    ),
]


class _Theirs:
    """What stands for a module of PyTorch, which need not be there."""


_Theirs.__module__ = "torch.nn.modules.activation"
