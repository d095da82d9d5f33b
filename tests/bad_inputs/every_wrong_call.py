"""A program: makes every wrong call in one process, and prints how many raised what they must."""

from public_calls import CALLS

raised = made = 0
for call in CALLS:
    subject = call.make()
    for argument, values in call.wrong.items():
        for value in values:
            made += 1
            try:
                call.run(subject, **call.right() | {argument: value.make()})
            except Exception as error:
                raised += type(error) is value.error
print(raised, made)
