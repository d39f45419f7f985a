"""When a training is looked at on clips that it does not learn from.

Belongs here: after which steps, of labellers (`vlm`) and generators (`tuning`). Does not belong here: what is asked.
"""


def is_evaluated(step: int, *, steps_per_epoch: int, times: int) -> bool:
    """Whether it is looked at after this step (from 1): at an epoch's end, and in between, so often in an epoch."""
    place = (step - 1) % steps_per_epoch + 1
    parts = min(times, steps_per_epoch)
    return place in {steps_per_epoch * part // parts for part in range(1, parts + 1)}
