"""Whether clips or their server are at fault when answers fail to come.

Belongs here: when a run ends, and which ends of clips wait for that to be known. Does not belong here: requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.resources.endpoint_client import EndpointError
from emovid_assets.resources.workers import Done

MOST_UNANSWERED = 16
"""Clips in a row without an answer, after which the server and not a clip is at fault; twice `concurrency` if more."""
MOST_UNUSABLE = 48
"""Clips that are paid for in vain from the start of a run, after which the model or the way of asking is at fault."""


@dataclass(frozen=True)
class End:
    """How a clip ended. `was_answered` is None where the server was not asked; tokens are what the clip cost."""

    done: Done
    was_answered: bool | None
    prompt_tokens: int = 0
    output_tokens: int = 0


class Judge:
    """Tells a bad clip from a bad server: clips without an answer are held back until a later one has been answered.

    So an outage leaves the clips it has met to do, and does not fill the quarantine with all that come after.
    """

    def __init__(self, url: str, concurrency: int) -> None:
        self._url = url
        self._most_unanswered = max(MOST_UNANSWERED, 2 * concurrency)
        self._held: list[Done] = []
        self._unusable_count = 0
        self._has_usable = False
        self._last_unusable = ""

    def passes(self, ends: Sequence[End]) -> list[Done]:
        """What may be told now."""
        told = []
        for end in ends:
            if end.was_answered is False:
                self._held.append(end.done)
                continue
            if end.was_answered:
                told += self.rest()
                self._note(end.done)
            told.append(end.done)
        return told

    def _note(self, done: Done) -> None:
        if done.payload is None:
            self._unusable_count += 1
            self._last_unusable = done.message
        else:
            self._has_usable = True

    def check(self) -> None:
        """Raises EndpointError where it is not the clips."""
        if len(self._held) >= self._most_unanswered:
            raise EndpointError(
                f"{self._url} has not answered for {len(self._held)} clips in a row; they stay to do. The last: "
                f"{self._held[-1].message}"
            )
        if not self._has_usable and self._unusable_count >= MOST_UNUSABLE:
            raise EndpointError(
                f"Not one of {self._unusable_count} answers of {self._url} can be used. The last: {self._last_unusable}"
            )

    def rest(self) -> list[Done]:
        """What was held back."""
        held, self._held = self._held, []
        return held
