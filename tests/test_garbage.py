"""Garbage: what holds itself through compiled code is collected, as what holds itself in Python is."""

import gc
import weakref

import pytest
from compiled_steps import batch, network, sgd

import pynet


def with_a_step(model, used):
    model.own = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model))
    if used:
        model.own(*batch(8, 6, 3))


def with_a_prediction(model, used):
    model.own = pynet.compile_predict(model)
    if used:
        model.own(batch(8, 6, 3)[0])


def with_an_optimizer(model, used):
    model.own = sgd(model)
    if used:
        x, y = batch(8, 6, 3)
        criterion = pynet.CrossEntropyLoss()
        model.backward(x, criterion.backward(model.forward(x), y))
        model.own.step()


def with_dropout_and_a_step(model, used):
    model.append(pynet.Dropout(0.2))
    with_a_step(model, used)


@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("hold", [with_a_step, with_a_prediction, with_an_optimizer, with_dropout_and_a_step])
def test_a_model_that_holds_what_holds_it_is_collected(hold, used):
    model = network(6, 30, 3)
    hold(model, used)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
