"""A trained model as the commands keep it: the network, what was learned about its data, and how it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ..arrays import Array
from ..errors import CheckpointError
from ..layers import SoftMax
from ..protocol import all_parameters
from ..saving import load_with_metadata, save
from .encoding import Classes, Encoding
from .failure import Failure
from .scores import Scores, outputs_of, score
from .sources import Source, read_source, read_test_part


class Trained(NamedTuple):
    """A network with what belongs to it."""

    model: Any
    encoding: Encoding
    record: dict[str, Any]  # data, settings and results of the training

    @property
    def dtype(self) -> str:
        """That of the parameters."""
        return str(all_parameters(self.model)[0].array.dtype)

    def predict(self, source: Source) -> Array:
        """Return probabilities of classes, or amounts in their units, one row per row."""
        outputs, target = outputs_of(self.model, self._features(source)), self.encoding.target
        return SoftMax()(outputs) if isinstance(target, Classes) else target.decode(outputs)

    def score(self, source: Source) -> Scores:
        """Return what the outputs are worth."""
        target = self.encoding.target
        return score(target, self.model, self._features(source), target.encode(source, self.dtype))

    def _features(self, source: Source) -> Array:
        return self.encoding.inputs.encode(source.inputs, self.dtype)

    def save(self, path: Path) -> None:
        """Write all to one file."""
        save(self.model, path, {"encoding": self.encoding.to_plain(), "record": self.record})


def read_model(path: Path) -> Trained:
    """Read what `Trained.save` wrote.

    Raises
    ------
    Failure
        If the file is not one that ``pynet train`` wrote.
    """
    if not path.is_file():
        raise Failure(f"MODEL {str(path)!r}: there is no such file")
    try:
        model, metadata = load_with_metadata(path)
    except (CheckpointError, ValueError, OSError) as error:
        raise Failure(f"MODEL {error}") from None
    try:
        return Trained(model, Encoding.from_plain(metadata["encoding"]), metadata["record"])
    except (KeyError, TypeError, AttributeError):
        raise Failure(f"MODEL {str(path)!r} holds a model that 'pynet train' has not written") from None


def read_data_for(trained: Trained, data: str, needs_target: bool) -> Source:
    """Read DATA for a model: its test part if it has one, else all; of a table the target that was trained on."""
    name = trained.encoding.target.name if data.endswith(".csv") else None
    return read_test_part(data) or read_source(data, name, needs_target)
