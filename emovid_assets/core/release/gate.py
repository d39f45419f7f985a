"""What may be given away of a clip, and why: the one rule that every release asks (ADR 45).

Belongs here: putting licence, origin, the clip file and a person's decision together. Does not belong here: what each
of them says (`licences`, `origins`, `decisions`), who reads and writes them (`resources.release`).

The stricter of licence and origin decides; what is unknown is metadata. Whoever knows better decides otherwise in
`release_decisions.csv`, with a name and a reason that are published.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from emovid_assets.core.plain_text import quoted
from emovid_assets.core.release.decisions import Decisions, Extent
from emovid_assets.core.release.licence_names import recognised
from emovid_assets.core.release.licences import Licence, says_non_commercial
from emovid_assets.core.release.origins import rule_of
from emovid_assets.core.release.scan import clean

CODES: Final[Mapping[str, str]] = {
    "allowed": "the licence allows to pass the clip on",
    "allowed_non_commercial": "the licence allows to pass the clip on for non-commercial purposes",
    "allowed_unaltered": "the licence allows unaltered excerpts, and all pictures of the clip are the source's own",
    "decided": "a person has decided, in decisions.csv",
    "licence_not_stated": "no licence is stated",
    "licence_unknown": "what is stated is no licence that is known",
    "no_derivatives": "the licence allows unaltered excerpts only, and pictures of the clip were encoded anew",
    "credit_missing": "the licence asks for a credit, and none is stated",
    "source_form_needed": "the licence wants copies to come with the form that the makers edit, which no release holds",
    "origin_forbids_copies": "the terms of the origin bar copies",
    "origin_forbids_index": "the terms of the origin bar even lists of its files",
    "origin_forbids_dataset": "the terms of the origin bar datasets of its files",
    "origin_terms_unread": "nobody could read the terms of the origin",
    "origin_by_application": "the origin gives its files to whoever applies",
}
"""Stable: a code never changes its meaning."""
NEEDED: Final = (
    *("clip_id", "source_id", "film_id", "origin", "origin_url", "license", "attribution"),
    *("how", "encoding_reason", "hidden_frame_count"),
)
"""What of a clip the gate asks for: columns of `release_clips`."""
_DECIDE = "or decide otherwise in release_decisions.csv"
_ORDER: Final = ("nothing", "metadata", "full")


class Permission(NamedTuple):
    """`code`: a key of `CODES`; `reason`: a sentence, with what would change it."""

    tier: Extent
    code: str
    reason: str
    licence: Licence
    is_non_commercial: bool

    @property
    def license_id(self) -> str:
        return self.licence.id


def permission_of(clip: Mapping[str, Any], decisions: Decisions | None = None) -> Permission:
    """What of a clip may be given away. `clip`: its values of `NEEDED`, null where there is none.

    Raises DecisionsError where two decisions contradict each other.
    """
    licence = recognised(clip.get("license"))
    written = str(clip.get("license") or "")
    is_non_commercial = not licence.commercial if licence.is_known else says_non_commercial(written)
    decision = decisions.of(clip) if decisions else None
    if decision:
        said: tuple[Extent, str, str] = (decision.permission, "decided", f"{decision.told}.")
    else:
        # Where both allow the same, the origin's terms are what would have to change.
        both = (*_of_origin(clip), _of_licence(clip, licence))
        said = min(both, key=lambda one: _ORDER.index(one[0]))
    return Permission(*said, licence, is_non_commercial)


def _of_origin(clip: Mapping[str, Any]) -> Iterator[tuple[Extent, str, str]]:
    """Nothing where the licence alone decides."""
    rule = rule_of(clip.get("origin"), clip.get("origin_url"))
    if rule is None:
        return
    held = "nothing of its files is in a release" if rule.allowed == "nothing" else "only metadata are in a release"
    yield (
        rule.allowed,
        rule.code,
        f"From {rule.title}: {rule.why}, so {held}; with a permission of your own, decide otherwise in "
        "release_decisions.csv.",
    )


def _of_licence(clip: Mapping[str, Any], licence: Licence) -> tuple[Extent, str, str]:
    written = str(clip.get("license") or "").strip()
    if not written:
        return (
            "metadata",
            "licence_not_stated",
            f"No licence is stated: write `license` into the manifest, such as CC-BY-4.0, {_DECIDE}.",
        )
    if not (licence.is_known and licence.copy and licence.excerpt):
        return (
            "metadata",
            "licence_unknown",
            f"'{quoted(clean(written))}' is no licence that is known: where it is one, write its id of SPDX or its "
            f"address as `license` into the manifest, {_DECIDE}.",
        )
    if licence.source_form:
        return (
            "metadata",
            "source_form_needed",
            f"{licence.id} wants copies to come with the form that the makers edit, which a release does not hold: "
            f"ask them for another licence, {_DECIDE}.",
        )
    if not licence.altered and (altered := _altered(clip)):
        return (
            "metadata",
            "no_derivatives",
            f"{licence.id} allows unaltered excerpts only, and {altered}: ask its makers, {_DECIDE}.",
        )
    if licence.credit and not str(clip.get("attribution") or "").strip():
        return (
            "metadata",
            "credit_missing",
            f"{licence.id} asks for a credit: write who made it, with the copyright line where there is one, as "
            f"`attribution` into the manifest, {_DECIDE}.",
        )
    return _allowed(licence)


def _altered(clip: Mapping[str, Any]) -> str | None:
    """How the pictures of a clip file differ from the source's; null where they are its own."""
    how = clip.get("how")
    if how is None:
        return "there is no clip file of which that is known"
    if clip.get("encoding_reason") == "alpha":
        return "its transparent pictures were laid over white"
    if how != "copied":
        return f"pictures of the clip were encoded anew ({how})"
    return "the file holds pictures that are not the clip's" if clip.get("hidden_frame_count") else None


def _allowed(licence: Licence) -> tuple[Extent, str, str]:
    asks = [
        *(["credit"] if licence.credit else []),
        *(["its text with copies"] if licence.text else []),
        *(["the same licence for what is altered"] if licence.share_alike else []),
    ]
    asked = f" and asks for {', '.join(asks)}" if asks else ""
    if not licence.altered:
        whom = "" if licence.commercial else ", for non-commercial purposes"
        said = f"{licence.id} allows unaltered excerpts{whom}{asked}; the clip's pictures are the source's own."
        return "full", "allowed_unaltered", said
    if not licence.commercial:
        return "full", "allowed_non_commercial", f"{licence.id} allows non-commercial copies{asked}."
    return "full", "allowed", f"{licence.id} allows copies{asked}."
