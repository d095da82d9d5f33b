"""What stands in a model file of either format, and is to be refused: architectures, modes, and arrays beside them."""

import json

import numpy as np
from made_by_hand import HEADER, LINEAR, STATE, layer, sequential

RELU = layer("pynet.ReLU")


def header(**changes):
    return {key: value for key, value in (HEADER | changes).items() if value != "absent"}


def of(module, modules=1):
    """A model of one module, which consists of so many."""
    return header(architecture=sequential(module), training=[True] * (1 + modules))


def beside(module):
    """A model of a Linear and something else."""
    return header(architecture=sequential(LINEAR, module))


def linear(**changes):
    return of(layer("pynet.Linear", **({"dim_in": 3, "dim_out": 2, "bias": True} | changes)))


def inside(depth):
    """Modules, one inside another."""
    module = RELU
    for _ in range(depth):
        module = sequential(module)
    return of(module, depth + 1)


def doubled(depth, first=1):
    """Modules that hold the one before them twice: of 30, a thousand million stand in the model."""
    module = RELU
    for number in range(depth):
        module = sequential(module, {"again": first + depth - number})
    return of(module, depth + 1)


# name: the header; the arrays beside it are those of a Linear(3, 2), and a ReLU follows it.
HEADERS = {
    "no JSON": b"{",
    "a list": [],
    "a number": 1,
    "nothing": b"",
    "null": None,
    "a text": "hello",
    "not ASCII": '{"format": 1, "ä": 2}'.encode(),
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a key twice": json.dumps(HEADER).encode()[:-1] + b', "format": 1}',
    "not a number": json.dumps(HEADER).encode()[:-1] + b', "metadata": NaN}',
    "a number of 5000 digits": json.dumps(HEADER).encode()[:-1] + b', "metadata": ' + b"9" * 5000 + b"}",
    "many empty lists": json.dumps(HEADER).encode()[:-1] + b', "metadata": [' + b"[]," * 10**6 + b"0]}",
    "many empty objects": json.dumps(HEADER).encode()[:-1] + b', "metadata": [' + b"{}," * 10**6 + b"0]}",
    "many small texts": json.dumps(HEADER).encode()[:-1] + b', "metadata": [' + b'"ab",' * 10**6 + b"0]}",
    "many small numbers": json.dumps(HEADER).encode()[:-1] + b', "metadata": [' + b"1e9," * 10**6 + b"0]}",
    "many keys": json.dumps(HEADER | {"metadata": {str(n): n for n in range(10**5)}}).encode(),
    "a wide text": json.dumps(HEADER | {"metadata": "a" * 10**7 + "\N{SLICE OF PIZZA}"}).encode(),
    "no format": header(format="absent"),
    "format 2": header(format=2),
    "format 1.0": header(format=1.0),
    "format true": header(format=True),
    "no architecture": header(architecture="absent"),
    "architecture null": header(architecture=None),
    "architecture a list": header(architecture=[LINEAR]),
    "architecture a name": header(architecture="pynet.Linear"),
    "no arguments": of({"class": "pynet.Linear"}),
    "arguments a list": of({"class": "pynet.Linear", "arguments": [3, 2]}),
    "arguments null": of({"class": "pynet.Linear", "arguments": None}),
    "no class": of({"arguments": {}}),
    "more than class and arguments": of(LINEAR | {"state": 1}),
    "class a list": of({"class": ["pynet.Linear"], "arguments": {"dim_in": 3, "dim_out": 2}}),
    "class null": of({"class": None, "arguments": {}}),
    "class unknown": of(layer("pynet.Conv2d", channels=3)),
    "class no layer": of(layer("pynet.Module")),
    "class a function": of(layer("os.system", command="true")),
    "class a builtin": of(layer("eval", source="1")),
    "class without pynet": of(layer("Linear", dim_in=3, dim_out=2)),
    "class a path": of(layer("pynet.layers.Linear", dim_in=3, dim_out=2)),
    "class of a user's": of(layer("__main__.Linear", dim_in=3, dim_out=2)),
    "dim_out missing": of(layer("pynet.Linear", dim_in=3)),
    "an argument too many": linear(activation="relu"),
    "an argument of another name": of(layer("pynet.Linear", input=3, output=2)),
    "self as an argument": linear(self=1),
    **{
        f"dim_in {value!r:.20}": linear(dim_in=value)
        for value in ("3", -3, 3.0, 3.5, True, None, [3], {"a": 1}, RELU, 4, 2**31, 2**40, 2**63, 10**400)
    },
    "both sizes 2**40": linear(dim_in=2**40, dim_out=2**40),
    "a huge bias": linear(dim_in=0, dim_out=10**9, bias="yes"),
    "a huge transposed weight": linear(dim_in=10**9, dim_out=0),
    "no bias": linear(bias=False),
    "dtype object": linear(dtype="object"),
    "dtype of fields": linear(dtype="f8,f8"),
    "dtype a list": linear(dtype=["float64"]),
    "dtype a number": linear(dtype=8),
    "a seed that is none": linear(seed="x"),
    "a huge BatchNorm": of(layer("pynet.BatchNorm", num_features=2**40)),
    "a large BatchNorm": of(layer("pynet.BatchNorm", num_features=10**6)),
    "a huge LayerNorm": of(layer("pynet.LayerNorm", normalized_shape=2**40)),
    "a large LayerNorm of two axes": of(layer("pynet.LayerNorm", normalized_shape=[10**5, 10**5])),
    "a large GroupNorm": of(layer("pynet.GroupNorm", num_groups=1, num_channels=10**6)),
    "a large RMSNorm": of(layer("pynet.RMSNorm", normalized_shape=[10**6])),
    "a large Embedding": of(layer("pynet.Embedding", num_embeddings=10**5, embedding_dim=10**5)),
    "merge unknown": of(layer("pynet.Parallel", layers=[LINEAR], merge="mean")),
    **{
        f"a slice of {ends!r:.20}": beside(layer("pynet.Columns", columns={"slice": ends}))
        for ends in (3, [1, 2], ["a", None, None], [None, None, 0], [LINEAR, None, None], None)
    },
    "p of 2": beside(layer("pynet.Dropout", p=2)),
    "slope a text": beside(layer("pynet.LeakyReLU", slope="0.1")),
    "axes that are none": beside(layer("pynet.Flatten", start_dim="a")),
    "layers a number": of(layer("pynet.Sequential", layers=3)),
    "layers a text": of(layer("pynet.Sequential", layers="abc")),
    "layers numbers": of(sequential(1, 2)),
    "layers lists": of(sequential([LINEAR, RELU])),
    "layers null": of(sequential(None)),
    "itself inside": of({"again": 0}),
    "one that is not there": beside({"again": 7}),
    **{f"again {place!r}": beside({"again": place}) for place in (-1, True, 1.0, "1", None, [1])},
    "a thousand million modules": doubled(30),
    "a thousand million modules in a wrong one": linear(dim_in=doubled(30, first=3)["architecture"]),
    "300 levels": inside(300),
    "1000 large layers": of(sequential(*[layer("pynet.Linear", dim_in=4, dim_out=1)] * 1000), 1001),
    "10,000 small ones": of(sequential(*[RELU] * 10_000), 10_001),
    "no modes": header(training="absent"),
    "modes null": header(training=None),
    "modes true": header(training=True),
    "a mode too few": header(training=[True] * 2),
    "a mode too many": header(training=[True] * 4),
    "modes texts": header(training=["no"] * 3),
    "modes numbers": header(training=[1] * 3),
    "modes an object": header(training={"0": True, "1": True, "2": True}),
}

WEIGHT, BIAS = STATE.values()

# name: the arrays beside a good header
STATES = {
    "nothing": {},
    "bias missing": {"0.weight": WEIGHT},
    "one too many": STATE | {"1.weight": WEIGHT},
    "renamed": {"0.weight": WEIGHT, "0.b": BIAS},
    "of another layer": {"1.weight": WEIGHT, "1.bias": BIAS},
    "transposed": {"0.weight": WEIGHT.T.copy(), "0.bias": BIAS},
    "flat": {"0.weight": WEIGHT.ravel(), "0.bias": BIAS},
    "an axis too many": {"0.weight": WEIGHT, "0.bias": BIAS[None]},
    "bias of one": {"0.weight": WEIGHT, "0.bias": BIAS[:1]},
    "bias without axes": {"0.weight": WEIGHT, "0.bias": BIAS[0] + np.zeros(())},
    "empty": {"0.weight": WEIGHT[:, :0], "0.bias": BIAS},
}
