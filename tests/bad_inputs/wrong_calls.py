"""Public callables, each with a right call, and the wrong values that each of its arguments must refuse."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from wrong_values import Wrong


class Call(NamedTuple):
    """A public callable, with a right call of it.

    Attributes
    ----------
    covers
        Its name below ``pynet``: ``Linear.forward``, ``data.one_hot``.
    make
        Returns what it is called on, in use already, so that there is something to be changed.
    run
        Calls it, given that and the arguments.
    right
        Returns arguments with which it works.
    wrong
        For each argument, what is wrong in its place.
    shown
        How messages call an argument, where that is not its name.
    variant
        What tells this row from others of the same callable.
    may_change
        Attributes that are no state, and may be others after an error: what a container keeps of a forward.
    needs
        The library that a right call needs; a wrong one is refused without.
    """

    covers: str
    make: Callable[[], Any]
    run: Callable[..., Any]
    right: Callable[[], dict[str, Any]]
    wrong: dict[str, list[Wrong]]
    shown: dict[str, str] = {}  # noqa: RUF012, which nobody writes into
    variant: str = ""
    may_change: tuple[str, ...] = ()
    needs: str = ""


class WrongCall(NamedTuple):
    """A call with one argument replaced by a wrong value."""

    call: Call
    argument: str
    value: Wrong

    def __str__(self) -> str:
        row = self.call
        return f"{row.covers}{row.variant and f'<{row.variant}>'}-{self.argument}-{self.value.name}"

    @property
    def pattern(self) -> str:
        """What the message must hold."""
        shown = self.call.shown.get(self.argument, self.argument)
        return self.value.says.replace("{}", re.escape(shown))


def wrong_calls(calls: list[Call]) -> Iterator[WrongCall]:
    """Yield every call with every wrong value of every argument."""
    for call in calls:
        for argument, values in call.wrong.items():
            for value in values:
                yield WrongCall(call, argument, value)


def method(make: Callable[[], Any], name: str, right: Callable[[], dict[str, Any]], **row: Any) -> Call:
    """A method of an object."""
    owner = row.pop("owner", None) or type(make()).__name__
    return Call(f"{owner}.{name}", make, lambda subject, **arguments: getattr(subject, name)(**arguments), right, **row)


def function(name: str, called: Callable[..., Any], right: Callable[[], dict[str, Any]], **row: Any) -> Call:
    """A function, or a class that is constructed."""
    return Call(name, lambda: None, lambda subject, **arguments: called(**arguments), right, **row)


def attribute(make: Callable[[], Any], name: str, right: Callable[[], Any], values: list[Wrong], **row: Any) -> Call:
    """An attribute that is assigned."""
    owner = row.pop("owner", None) or type(make()).__name__
    return Call(
        f"{owner}.{name}",
        make,
        lambda subject, **arguments: setattr(subject, name, arguments[name]),
        lambda: {name: right()},
        {name: values},
        **row,
    )
