"""What is wrong with files that people have put somewhere, as rows of the quarantine.

Belongs here: noting it so that to find the same fault again is no further attempt. Does not belong here: finding it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.core.video.errors import sentence
from emovid_assets.resources.item_store import ItemStore, QuarantinedItem


@dataclass
class FileFault:
    """`path` is below the home folder; `code` one of `core.video.errors`."""

    path: str
    code: str
    detail: str


def note_faults(store: ItemStore, step: str, domain: str, faults: Sequence[FileFault]) -> None:
    """Puts these in place of what was known of the step. A reading that finds nothing new leaves all as it is."""
    store.forget_others(step, domain, [fault.path for fault in faults])
    known = {(failure.item_id, failure.code, failure.message) for failure in store.failures(domain, step)}
    items = [
        QuarantinedItem(
            fault.path,
            f"{fault.code}|{fault.detail}",
            path=fault.path,
            code=fault.code,
            message=sentence(fault.code, fault.detail),
            input_sha256=None,
            code_version=f"{step}-1",
        )
        for fault in faults
    ]
    news = [item for item in items if (item.item_id, item.code, item.message) not in known]
    if news:
        store.settle(step, domain, (), news)
