"""Ctrl-C while training: what has begun is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:  # the second time: at once
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def noted_interruption() -> Iterator[Interruption]:
    """Have the first Ctrl-C noted instead of raised, so that no step ends in its middle; the second one is raised.

    Only where Python would raise it: in the main thread, and where nobody has a handler of their own.
    """
    interruption = Interruption()
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interruption
        return
    signal.signal(signal.SIGINT, interruption._note)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
