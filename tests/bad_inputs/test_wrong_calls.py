"""Every public callable under every wrong argument: the right error, which says what is wrong, and nothing changed."""

import re

import pytest
from public_calls import CALLS, WRONG_CALLS, public_callables
from reachable import differences, everything
from wrong_calls import Call, WrongCall

# What takes arguments, but none that could be wrong, or only from pynet itself.
NOT_CALLED = {
    "Module.forward": "is the subclass's",
    "Module.backward": "is the subclass's",
    "Criterion.forward": "is the subclass's",
    "Criterion.backward": "is the subclass's",
    "Criterion.row_losses": "is the subclass's",
    "testing.CheckError": "is raised, not called",
    "LRScheduler.lr_at": "is the subclass's",
    "Metric.update": "is the subclass's",
    "LambdaLR.lr_at": "calls the user's function",
    "OneCycleLR.momentum_at": "is as lr_at",
    "Trainer.stop": "takes any text",
}
GIVEN_BY_PYNET = {"add_to", "state_dict", "load_state_dict"} | {
    name for name in dir(__import__("pynet").callbacks.Callback) if name.startswith("on_")
}


def message(error: BaseException) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.mark.parametrize("case", WRONG_CALLS, ids=str)
def test_a_wrong_argument_is_named_and_changes_nothing(case: WrongCall):
    call = case.call
    subject, arguments = call.make(), call.right()
    arguments[case.argument] = case.value.make()
    before = everything(subject, arguments, but=call.may_change)
    with pytest.raises(case.value.error) as caught:
        call.run(subject, **arguments)
    assert caught.type is case.value.error or case.value.error is OSError
    assert re.search(case.pattern, message(caught.value), re.DOTALL)
    assert differences(before, everything(subject, arguments, but=call.may_change)) == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.covers}<{call.variant}>")
def test_after_all_its_wrong_calls_a_right_one_works(call: Call):
    subject = call.make()
    for argument, values in call.wrong.items():
        for value in values:
            with pytest.raises(value.error):
                call.run(subject, **call.right() | {argument: value.make()})
    if call.needs:
        pytest.importorskip(call.needs)
    call.run(subject, **call.right())


def test_there_are_enough_of_them():
    assert len(WRONG_CALLS) >= 1500
    assert len(set(map(str, WRONG_CALLS))) == len(WRONG_CALLS)


def test_every_public_callable_is_among_them():
    covered = {call.covers for call in CALLS}
    public = {
        name for name in public_callables() if name not in NOT_CALLED and name.rpartition(".")[2] not in GIVEN_BY_PYNET
    }
    assert public - covered == set()
