"""Whether clips or their server are at fault when answers fail to come.

Belongs here: when a run ends, and which ends of clips wait for that to be known. Does not belong here: requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emovid_assets.core.video.errors import sentence
from emovid_assets.resources.endpoint_client import EndpointError
from emovid_assets.resources.workers import Done

MOST_UNANSWERED = 16
"""Clips in a row without an answer, after which the server and not a clip is at fault; twice `concurrency` if more."""
MOST_UNUSABLE = 48
"""Clips that are paid for in vain from the start of a run, after which the model or the way of asking is at fault."""
UNPROVEN = "no_usable_answer"
"""The code of a clip with an unusable answer where no other answer of the run was usable either."""


@dataclass(frozen=True)
class End:
    """How a clip ended. `was_answered` is None where the server was not asked; tokens are what the clip cost.

    A clip that was answered and has no payload has an unusable answer.
    """

    done: Done
    was_answered: bool | None
    prompt_tokens: int = 0
    output_tokens: int = 0


class Judge:
    """Tells a bad clip from a bad server, by what becomes of other clips.

    Clips without an answer are held back until a later one has been answered, so an outage leaves the clips it has met
    to do. Clips with an unusable answer are held back until there is a usable one, in this run or to a clip that was
    answered before: until then, a server that was started wrongly and a clip that no model understands look the same.
    """

    def __init__(self, url: str, concurrency: int) -> None:
        self._url = url
        self._most_unanswered = max(MOST_UNANSWERED, 2 * concurrency)
        self._unanswered: list[Done] = []
        self._unusable: list[Done] = []
        self._has_usable = False

    def passes(self, ends: Sequence[End]) -> list[Done]:
        """What may be told now."""
        return [done for end in ends for done in self._told_by(end)]

    def _told_by(self, end: End) -> list[Done]:
        if end.was_answered is None:
            return [end.done]
        if not end.was_answered:
            self._unanswered.append(end.done)
            return []
        told, self._unanswered = self._unanswered, []
        if end.done.payload is None and not self._has_usable:
            self._unusable.append(end.done)
            return told
        return [*told, *self.proven(), end.done]

    @property
    def is_open(self) -> bool:
        """Whether clips with an unusable answer are held back."""
        return bool(self._unusable)

    @property
    def is_due(self) -> bool:
        """Whether there are as many of them as there may be."""
        return len(self._unusable) >= MOST_UNUSABLE

    def proven(self) -> list[Done]:
        """The server gives usable answers: the clips are at fault that were held back, and may be told now."""
        self._has_usable = True
        told, self._unusable = self._unusable, []
        return told

    def check(self) -> None:
        """Raises EndpointError where it is not the clips; what is held back then stays to do."""
        if len(self._unanswered) >= self._most_unanswered:
            raise EndpointError(
                f"{self._url} has not answered for {len(self._unanswered)} clips in a row; they stay to do. The last: "
                f"{self._unanswered[-1].message}"
            )
        if self.is_due:
            raise EndpointError(
                f"Not one of {len(self._unusable)} answers of {self._url} can be used, so it is not the clips: they "
                f"stay to do. Check the served model, its chat template, and for labels that the server gives "
                f"log-probabilities; then build again. The last: {self._unusable[-1].message}"
            )

    def rest(self) -> list[Done]:
        """What is held back at the end of a run. Whose fault an unusable answer is stays open, so it is asked for again
        by the next run."""
        unproven = [replace(done, code=UNPROVEN, message=sentence(UNPROVEN, done.message)) for done in self._unusable]
        return [*self._unanswered, *unproven]
