"""The errors that pynet raises beside TypeError and ValueError."""


class ShapeError(ValueError):
    """An array has the wrong number of axes or the wrong length along one of them."""


class StateError(RuntimeError):
    """A call needs something that has not happened yet, such as the mask that a forward draws."""


class CheckpointError(ValueError):
    """A file is damaged, is not one of pynet's, or does not fit."""


class DivergedError(ArithmeticError):
    """A loss is no longer finite, so that training cannot go on."""


class GradientError(AssertionError):
    """A gradient differs from the finite difference it was compared with."""
