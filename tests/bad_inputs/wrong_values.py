"""Values that an argument must refuse, by the kind of the argument: each with the error and a word of its message."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import pynet

nan, inf = np.nan, np.inf


class Wrong(NamedTuple):
    """How a value is called in the test's name, how to make it, the error, and a pattern that its message holds."""

    name: str
    make: Callable[[], Any]
    error: type[BaseException]
    says: str


def wrong(error: type[BaseException], says: str, **values: Any) -> list[Wrong]:
    """Rows with one error and one pattern; {} in it stands for the argument's name."""
    return [Wrong(name, lambda value=value: value, error, says) for name, value in values.items()]


def made(error: type[BaseException], says: str, **makers: Callable[[], Any]) -> list[Wrong]:
    """The same, for values that each test makes anew."""
    return [Wrong(name, make, error, says) for name, make in makers.items()]


class _RaisingArray:
    def __array__(self, dtype=None, copy=None):
        raise ZeroDivisionError("the data are elsewhere")


class _ListInsteadOfArray:
    def __array__(self, dtype=None, copy=None):
        return [1.0, 2.0]


class _BrokenDlpack:
    def __dlpack__(self, **options):
        raise BufferError("the data are on another device")

    def __dlpack_device__(self):
        return (1, 0)


def _list_in_itself():
    endless: list[Any] = []
    endless.append(endless)
    return endless


_REAL = "{} must be an array of"


def no_numbers(shape: tuple[int, ...] = (5, 4)) -> list[Wrong]:
    """What is no array of real numbers; arrays of other things have this shape."""
    return [
        *made(TypeError, _REAL + ".*got NoneType", none=lambda: None),
        *made(TypeError, _REAL + ".*got str", text=lambda: "1.5"),
        *made(TypeError, _REAL + ".*got bytes", bytes=lambda: b"1.5"),
        *made(TypeError, _REAL + ".*got complex", complex=lambda: 1j),
        *made(TypeError, _REAL + ".*got dict", dict=lambda: {"a": 1.0}),
        *made(TypeError, _REAL + ".*got set", set=lambda: {1.0, 2.0}),
        *made(TypeError, _REAL + ".*got generator", generator=lambda: (x for x in (1.0, 2.0))),
        *made(TypeError, _REAL + ".*got function", function=lambda: _list_in_itself),
        *made(TypeError, _REAL + ".*got type", a_class=lambda: pynet.Linear),
        *made(TypeError, _REAL + ".*got SimpleNamespace", an_object=SimpleNamespace),
        *made(TypeError, _REAL + ".*got ellipsis", ellipsis=lambda: ...),
        *made(TypeError, _REAL + ".*got slice", slice=lambda: slice(3)),
        *made(TypeError, _REAL + ".*got Linear", a_layer=lambda: pynet.Linear(2, 1)),
        *made(
            TypeError,
            _REAL + ".*(list|dtype)",
            ragged=lambda: [[1.0, 2.0], [3.0]],
            deeply_ragged=lambda: [[[1.0], [2.0, 3.0]], [[4.0], [5.0]]],
            list_of_text=lambda: [["1.5", "2"]],
            list_of_complex=lambda: [[1j, 2.0]],
            list_of_none=lambda: [[None, 1.0]],
            list_of_huge_ints=lambda: [[2**70, 1]],
            list_in_itself=_list_in_itself,
            too_many_axes=lambda: eval("[" * 80 + "1.0" + "]" * 80),
        ),
        *made(TypeError, _REAL + ".*got dtype complex64", complex64_array=lambda: np.ones(shape, np.complex64)),
        *made(TypeError, _REAL + ".*got dtype complex128", complex128_array=lambda: np.ones(shape, np.complex128)),
        *made(TypeError, _REAL + ".*got dtype object", object_array=lambda: np.ones(shape, object)),
        *made(TypeError, _REAL + ".*got dtype <U", text_array=lambda: np.full(shape, "1.5")),
        *made(TypeError, _REAL + ".*got dtype .S", bytes_array=lambda: np.full(shape, b"1.5")),
        *made(TypeError, _REAL + ".*got dtype datetime64", dates=lambda: np.full(shape, np.datetime64("2020-01-01"))),
        *made(TypeError, _REAL + ".*got dtype timedelta64", times=lambda: np.full(shape, np.timedelta64(1, "s"))),
        *made(TypeError, _REAL + ".*got dtype ", structured=lambda: np.zeros(shape, [("a", float), ("b", int)])),
        *made(TypeError, _REAL + ".*got dtype .V", void_array=lambda: np.zeros(shape, "V8")),
        *made(
            TypeError,
            "{} is a masked array",
            masked=lambda: np.ma.masked_array(np.ones(shape), np.ones(shape, bool)),
            masked_without_elements=lambda: np.ma.masked_array(np.ones((0, *shape[1:]))),
            the_masked_constant=lambda: np.ma.masked,
        ),
        *made(ZeroDivisionError, "elsewhere", array_that_raises=_RaisingArray),
        *made(ValueError, "__array__", array_that_is_a_list=_ListInsteadOfArray),
        *made(BufferError, "another device", broken_dlpack=_BrokenDlpack),
    ]


NO_NUMBERS = no_numbers()


def few(rows: list[Wrong]) -> list[Wrong]:
    """Those that differ most, for what shares its checks with something that is tried with all."""
    chosen = {
        "none",
        "text",
        "ragged",
        "list_of_text",
        "complex128_array",
        "object_array",
        "masked",
        "array_that_raises",
    }
    return [row for row in rows if row.name in chosen]


def arrays_of_shapes(*shapes: tuple[int, ...], says: str = "", dtype: Any = np.float64) -> list[Wrong]:
    """Arrays of ones of wrong shapes; the message names the argument and has the shape."""
    rows = []
    for shape in dict.fromkeys(shapes):
        text = "\\(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + "\\)"
        pattern = f"{{}} .*{says or text}"
        rows.append(Wrong(f"shape{shape}", lambda shape=shape: np.ones(shape, dtype), pynet.ShapeError, pattern))
    return rows


def shapes_unlike(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes that are near this one, or could be broadcast to it, or hold as many numbers."""
    n, *rest = shape
    k = shape[-1]
    size = int(np.prod(shape))
    near = [
        (),
        (1,),
        (k,),
        (n,),
        (size,),
        (size + 1,),
        (1, size),
        (*([1] * len(shape)),),
        (1, *rest),
        (n - 1, *rest),
        (n + 1, *rest),
        (0, *rest),
        (*shape[:-1], 1),
        (*shape[:-1], k - 1),
        (*shape[:-1], k + 1),
        (*shape[:-1], 0),
        shape[::-1],
        (*shape, 1),
        (1, *shape),
        (*([1] * (32 - len(shape))), *shape),
    ]
    return [other for other in dict.fromkeys(near) if other != shape]


NO_NUMBER = wrong(
    TypeError,
    "{} must be a number, got",
    none=None,
    text="0.5",
    bytes=b"0.5",
    true=True,
    list=[0.5],
    array=np.array([0.5]),
    array_without_axes=np.array(0.5),
    complex=1j,
    dict={},
    function=len,
    a_class=float,
    dtype=np.dtype(float),
)
NOT_A_NUMBER = wrong(ValueError, "{} must be .*got nan", nan=nan, numpy_nan=np.float32(nan))
INFINITE = wrong(ValueError, "{} must be .*got -?inf", inf=inf, minus_inf=-inf)
TOO_LARGE = wrong(ValueError, "{} is too large", googol=10**400)
NEGATIVE = wrong(ValueError, "{} must be .*got -", minus_one=-1, minus_a_little=-1e-300, minus_half=np.float32(-0.5))

FINITE = [*NO_NUMBER, *NOT_A_NUMBER, *INFINITE, *TOO_LARGE]
AT_LEAST_ZERO = [*FINITE, *NEGATIVE]
POSITIVE = [*AT_LEAST_ZERO, *wrong(ValueError, "{} must be .*got -?0.0", zero=0, minus_zero=-0.0)]
SHARE = [*AT_LEAST_ZERO, *wrong(ValueError, "{} must be .*got", above_one=1.0000001, two=2)]
FRACTION = [*SHARE, *wrong(ValueError, "{} must be .*got 1.0", one=1, one_float=1.0)]

NO_INT = wrong(
    TypeError,
    "{} must be an int, got",
    text="3",
    bytes=b"3",
    true=True,
    numpy_true=np.True_,
    float=2.0,
    numpy_float=np.float64(3),
    nan=nan,
    complex=1j,
    list=[3],
    tuple=(3,),
    array=np.array([3]),
    matrix=np.ones((2, 2), int),
    dict={},
    function=len,
    a_class=int,
)
NONE = wrong(TypeError, "{} must be .*got None", none=None)


def sizes(smallest: int = 0) -> list[Wrong]:
    """What is no size from ``smallest`` to 2**31 - 1."""
    out_of_range = wrong(
        ValueError,
        "{} must be from .*got",
        below=smallest - 1,
        negative=-7,
        numpy_negative=np.int64(-1),
        smallest_int64=-(2**63),
        two_to_the_31=2**31,
        two_to_the_40=2**40,
        two_to_the_60=2**60,
        two_to_the_62=2**62,
        largest_uint64=np.uint64(2**64 - 1),
        two_to_the_100=2**100,
    )
    return [*NO_INT, *NONE, *out_of_range]


def without_none(rows: list[Wrong]) -> list[Wrong]:
    """The same rows where None has a meaning."""
    return [row for row in rows if row.name != "none"]


SEEDS = [
    *wrong(TypeError, "seed must be .*got", text="7", float=1.5, true=True, list=[1], state=np.random.RandomState(0)),
    *wrong(ValueError, "seed must be .*got -", minus_one=-1, numpy_minus_five=np.int64(-5), far_below=-(2**70)),
]

FLAGS = wrong(
    TypeError, "{} must be True or False, got", text="no", empty_text="", bytes=b"False", array=np.array([True, False])
)

DTYPES = wrong(
    TypeError,
    "dtype must be float32 or float64, got",
    float16=np.float16,
    longdouble=np.longdouble,
    complex64="complex64",
    int=int,
    bool=bool,
    text="nonsense",
    object=object,
    number=5,
    structured=[("a", float)],
    an_array=np.ones(2),
)

NO_MODULE = [
    *wrong(TypeError, "module.*got", none=None, number=5, text="model", a_class=pynet.Linear, list=[np.ones(2)]),
    *made(
        TypeError,
        "module.*got",
        array=lambda: np.ones((2, 2)),
        criterion=pynet.MSE,
        parameters=lambda: pynet.Linear(2, 2).parameters(),
        only_forward=lambda: SimpleNamespace(forward=abs),
        no_functions=lambda: SimpleNamespace(forward=1, backward=2),
    ),
]

NO_PATH = wrong(TypeError, "[pP]ath", none=None, number=5, zero=0, true=True, float=1.5, list=["a.npz"], dict={})
NO_MAPPING = wrong(TypeError, "{} must be a .*got", none=None, number=5, text="state", list=[1, 2], array=np.ones(2))
