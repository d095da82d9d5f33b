"""Pictures: what they show is what they were given, and nothing global is touched."""

import io
import subprocess
import sys

import numpy as np
import pytest
from test_users_modules import Block, NotebookLinear

import pynet
from pynet.plot import activations, confusion_matrix, curves, weights

pytest.importorskip("matplotlib")

HISTORY = {
    "loss": [3.0, 2.0, 1.5],
    "accuracy": [0.1, 0.5, 0.7],
    "val_loss": [3.5, 2.5, 2.6],
    "lr": [0.1, 0.1, 0.01],
    "time": [1.0, 1.0, 1.0],
    "val_other": [1.0, 2.0, 3.0],
}


def lines_of(axes):
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def images_of(figure):
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def test_curves_draws_each_name_with_its_partner():
    loss, accuracy, other = curves(HISTORY).axes
    assert [axes.get_title() for axes in (loss, accuracy, other)] == ["loss", "accuracy", "val_other"]
    assert lines_of(loss) == {"training": HISTORY["loss"], "validation": HISTORY["val_loss"]}
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]
    assert lines_of(accuracy) == {"training": HISTORY["accuracy"]}
    assert list(accuracy.lines[0].get_xdata()) == [1, 2, 3]
    assert accuracy.get_xlabel() == "epoch"
    assert list(lines_of(other).values()) == [HISTORY["val_other"]]


def test_curves_draws_what_is_asked_for():
    assert [axes.get_title() for axes in curves(HISTORY, names=["lr", "loss"]).axes] == ["lr", "loss"]
    (axes,) = curves(HISTORY, "time").axes
    assert lines_of(axes) == {"training": HISTORY["time"]}
    for history, names in ((HISTORY, ["f1"]), ({}, None), ({"lr": [1.0]}, None), (HISTORY, [])):
        with pytest.raises(ValueError, match="history has"):
            curves(history, names)


def test_one_epoch_is_a_point_that_can_be_seen():
    (axes,) = curves({"loss": [1.0]}).axes
    assert axes.lines[0].get_marker() == "o"
    assert curves(HISTORY).axes[0].lines[0].get_marker() == ""


@pytest.mark.parametrize(
    ("history", "scale"),
    [
        ({"loss": [50.0, 0.4, 0.3]}, "log"),
        ({"loss": [0.6, 0.4, 0.3], "val_loss": [70.0, 0.5, 0.4]}, "log"),
        ({"val_loss": [50.0, np.nan, np.inf, 0.3]}, "log"),
        ({"loss": [2.3, 0.4, 0.03]}, "linear"),
        ({"loss": [50.0, 0.4, 0.0]}, "linear"),
        ({"loss": [50.0, 0.4, -0.3]}, "linear"),
        ({"loss": [np.nan, np.nan]}, "linear"),
        ({"mae": [50.0, 0.4, 0.3]}, "linear"),
    ],
)
def test_losses_that_a_linear_axis_would_lay_flat_stand_on_a_logarithmic_one(history, scale):
    (axes,) = curves(history).axes
    assert axes.get_yscale() == scale
    axes.figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize(
    ("losses", "best"), [([3.5, 2.5, 2.6], [1]), ([np.nan, 3.0, 2.0], [2]), ([np.nan, -np.inf], []), ([1.0], [0])]
)
def test_a_dot_marks_the_epoch_of_the_lowest_validation_loss(losses, best):
    axes, *others = curves({"loss": [3.0] * 3, "val_loss": losses, "accuracy": [0.1, 0.2], "val_accuracy": [0, 1]}).axes
    training, validation = axes.lines
    assert (validation.get_marker(), validation.get_markevery()) == ("o" if best else "", best)
    assert {line.get_marker() for line in [training, *others[0].lines]} == {""}


def test_confusion_matrix_counts():
    figure = confusion_matrix([0, 0, 0, 1, 1, 2, 0], [0, 0, 0, 0, 1, 2, 2])
    (axes,) = figure.axes
    written = {tuple(map(int, text.get_position()[::-1])): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "3", (0, 1): "1", (1, 1): "1", (2, 2): "1", (2, 0): "1"}
    (image,) = images_of(figure)
    np.testing.assert_allclose(image**2, [[0.75, 0.25, 0], [0, 1, 0], [0.5, 0, 0.5]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title() == "accuracy 0.7143, 7 samples"


def test_confusion_matrix_names_classes_that_nobody_is_in():
    (axes,) = confusion_matrix([0, 1], [0, 1], classes=["cat", "dog", "bird"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "bird"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog", "bird"]
    np.testing.assert_array_equal(images_of(axes.figure)[0], [[1, 0, 0], [0, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(("classes", "written"), [(20, 20), (21, 0)])
def test_many_classes_are_colours_alone(classes, written):
    labels = np.arange(classes)
    (axes,) = confusion_matrix(labels, labels).axes
    assert len(axes.texts) == written
    np.testing.assert_array_equal(images_of(axes.figure)[0], np.eye(classes))


@pytest.mark.parametrize(
    ("y", "predicted", "error", "message"),
    [
        ([0, 1], [0], pynet.ShapeError, "predicted has 1 labels, expected 2"),
        ([0, 1], np.eye(2), pynet.ShapeError, r"argmax\(axis=1\)"),
        ([0.5, 1], [0, 1], TypeError, "integer labels"),
        ([0, -1], [0, 1], ValueError, "label -1"),
        ([0, 2], [0, 1], ValueError, "a label 2, but only 2 classes"),
        (np.zeros(0, int), np.zeros(0, int), ValueError, "empty"),
    ],
)
def test_wrong_labels_are_refused(y, predicted, error, message):
    with pytest.raises(error, match=message):
        confusion_matrix(predicted, y, classes=["a", "b"])


def drawn(figure, count):
    return images_of(figure)[:count]


def test_weights_are_the_rows_as_squares_on_one_scale():
    layer = pynet.Linear(9, 5)
    figure = weights(layer)
    np.testing.assert_array_equal(drawn(figure, 5), layer.W.reshape(5, 3, 3))
    limits = {image.get_clim() for axes in figure.axes[:5] for image in axes.images}
    assert limits == {(-np.abs(layer.W).max(), np.abs(layer.W).max())}
    assert figure.get_suptitle() == "Linear(9, 5): 5 of 5 rows of W"
    shown = weights(layer, count=2)
    np.testing.assert_array_equal(drawn(shown, 2), layer.W[:2].reshape(2, 3, 3))
    assert shown.get_suptitle() == "Linear(9, 5): 2 of 5 rows of W"


@pytest.mark.parametrize("linear", [pynet.Linear, NotebookLinear])
def test_weights_of_a_model_are_its_first_linear_layers(linear):
    model = pynet.Sequential(pynet.ReLU(), pynet.Sequential(linear(6, 2), pynet.Linear(2, 2)))
    figure = weights(model, shape=(2, 3))
    np.testing.assert_array_equal(drawn(figure, 2), model[1][0].W.reshape(2, 2, 3))
    assert figure.get_suptitle().startswith(f"1.0  {linear.__name__}(")


def test_weights_that_make_no_image_are_refused():
    with pytest.raises(ValueError, match=r"6 inputs make no square image: give shape="):
        weights(pynet.Linear(6, 2))
    with pytest.raises(ValueError, match=r"shape \(2, 2\) has 4 pixels, expected 6"):
        weights(pynet.Linear(6, 2), (2, 2))
    with pytest.raises(TypeError, match="no layer with a matrix W"):
        weights(pynet.Sequential(pynet.ReLU()))
    with pytest.raises(ValueError, match="no weights"):
        weights(pynet.Linear(4, 0))
    with pytest.raises(ValueError, match="count"):
        weights(pynet.Linear(4, 2), count=0)


def test_activations_are_counted_without_exact_zeros():
    x = np.array([[-1.0, 2.0, 0.5, -3.0], [4.0, -1.0, -2.0, -5.0]])
    relu, tanh = activations(pynet.Sequential(pynet.ReLU(), pynet.Tanh()), x).axes
    assert relu.get_title() == "0  ReLU()\n62.5% zeros"
    values = [np.array([2, 0.5, 4]), np.tanh([2, 0.5, 4])]
    for axes, expected in zip((relu, tanh), values, strict=True):
        counts, edges, _ = axes.patches[0].get_data()
        np.testing.assert_array_equal(counts, np.histogram(expected, 50)[0])
        np.testing.assert_allclose(edges[[0, -1]], [expected.min(), expected.max()])


def test_activations_of_every_leaf_have_their_place():
    model = pynet.Sequential(Block(4), pynet.Dropout(0.5))
    titles = [axes.get_title().split("\n")[0] for axes in activations(model, np.ones((2, 4))).axes]
    assert titles == ["0.first  Linear(4, 4)", "0.rest.0  Tanh()", "0.rest.1  NotebookLinear()", "1  Dropout()"]


def test_dead_units_and_broken_values_are_said():
    (dead,) = activations(pynet.ReLU(), -np.ones((2, 3))).axes
    assert dead.get_title() == "ReLU()\n100.0% zeros"
    assert not dead.patches
    (broken,) = activations(pynet.ReLU(), [[np.nan, np.inf, 1.0, 2.0]]).axes
    assert broken.get_title() == "ReLU()\n0.0% zeros, 2 not finite"
    assert broken.patches[0].get_data().values.sum() == 2


def test_activations_change_nothing():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.BatchNorm(4), pynet.Dropout())
    before, state = model.state_dict(), np.random.get_state()
    activations(model, np.random.default_rng(0).normal(size=(5, 4)))
    np.testing.assert_equal(model.state_dict(), before)
    np.testing.assert_equal(np.random.get_state(), state)
    assert model.output is None


def test_figures_show_themselves_and_can_be_saved(tmp_path):
    figure = curves(HISTORY)
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(tmp_path / "curves.png")
    figure.savefig(io.BytesIO(), format="pdf")


def test_pyplot_is_not_loaded():
    code = "import sys, pynet.plot; pynet.plot.curves({'loss': [1.0]}); print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: curves(HISTORY),
        lambda: confusion_matrix([0], [0]),
        lambda: weights(pynet.Linear(4, 2)),
        lambda: activations(pynet.ReLU(), np.ones(3)),
    ):
        with pytest.raises(ImportError, match=r"pip install 'pynet\[train\]'"):
            draw()


def test_the_package_loads_without_matplotlib():
    code = "import sys; sys.modules['matplotlib'] = None; import pynet.plot; print(pynet.plot.curves.__name__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "curves\n"
