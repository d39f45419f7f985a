"""`licences.csv` and `LICENSE.md` of a release: every source with its licence and credit, and what may be done.

Belongs here: rows and text out of what a release says of its clips (`tables.release`). Does not belong here: what
licences allow (`licences`), and the data card.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from emovid_assets.core.plain_text import for_markdown
from emovid_assets.core.release.gate import CODES
from emovid_assets.core.release.layout import DECISIONS_CSV, LICENCES_CSV, Tier
from emovid_assets.core.release.licence_names import recognised
from emovid_assets.core.release.licences import OTHER, TEXTS, UNKNOWN, Licence
from emovid_assets.core.release.scan import clean

HEADER: Final = (
    *("source_id", "title", "license", "license_id", "licence_url", "attribution", "changes"),
    *("origin", "origin_url", "terms_url", "full_clip_count", "metadata_clip_count", "permission_codes"),
)
_OF_SOURCE: Final = ("source_id", "title", "license", "license_id", "attribution", "origin", "origin_url", "terms_url")
_CUT = "cut out of the source"
_CHANGES: Final = {"encoded": "encoded anew", "joined": "encoded anew at the ends"}


def licence_rows(clips: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row of `HEADER` for each source of the clips (rows of a release), by its id; text of others is cleaned.

    `changes` says what licences want to be said of works that are passed on, of the clips whose files may be.
    """
    of_source: dict[str, list[Mapping[str, Any]]] = {}
    for clip in clips:
        of_source.setdefault(clip["source_id"], []).append(clip)
    return [_row(of_source[name]) for name in sorted(of_source)]


def _row(clips: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    full = [clip for clip in clips if clip["permission"] == "full"]
    changes = {_CHANGES[clip["how"]] for clip in full if clip.get("how") in _CHANGES}
    changes |= {"laid over white" for clip in full if clip.get("encoding_reason") == "alpha"}
    said = {name: clean(str(clips[0].get(name) or "")) for name in _OF_SOURCE}
    known = {
        **said,
        "licence_url": " ".join(filter(None, (one.url for one in recognised(clips[0].get("license")).applies))),
        "changes": ", ".join([_CUT, *sorted(changes)]) if full else "",
        "full_clip_count": len(full),
        "metadata_clip_count": len(clips) - len(full),
        "permission_codes": " ".join(sorted({clip["permission_code"] for clip in clips})),
    }
    return {name: known[name] for name in HEADER}


def licences_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """`licence_rows` as a file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def hub_license(clips: Iterable[Mapping[str, Any]]) -> str:
    """What a hub's card says of the files of a release: the one licence of all clips that have one, or `other`."""
    found = {
        recognised(clip.get("license")).hub_id if clip["permission_code"] != "decided" else OTHER
        for clip in clips
        if clip["permission"] == "full"
    }
    return found.pop() if len(found) == 1 else OTHER


def license_md(clips: Iterable[Mapping[str, Any]], tier: Tier) -> str:
    """`LICENSE.md` of a release with these clips (rows of a release)."""
    clips = list(clips)
    full = [clip for clip in clips if clip["permission"] == "full"]
    written = [*_head(len(clips), len(full), tier)]
    if full:
        written += _table(full, tier)
    written += _codes(clips)
    if tier == "full":
        written += _texts(full)
    return "\n".join(written).rstrip() + "\n"


def _head(count: int, full_count: int, tier: Tier) -> Iterable[str]:
    yield "# Licences"
    yield ""
    yield (
        f"This release has no licence as a whole: each clip is under that of its source. `{LICENCES_CSV}` names the "
        "licence, the credit, the address and the changes for every source, and the column `license_id` of the clips "
        "names it for every clip. Credit the source, not this collection alone."
    )
    yield ""
    if tier == "full":
        yield (
            f"Of {count:,} clips {full_count:,} are here as files. Of the others only metadata are here: what they "
            "measure, their labels, and hashes by which whoever has the sources proves to have the same clips."
        )
    else:
        yield (
            f"No clip is here as a file. Of {count:,} clips {full_count:,} may be passed on under the licences below  "
            "by whoever has made them from the sources."
        )
    yield ""
    yield "What is said here is how the makers of this release read licences and terms. It is no legal advice."
    yield ""


def _table(full: Sequence[Mapping[str, Any]], tier: Tier) -> Iterable[str]:
    of_licence: dict[str, Licence] = {}
    counts: Counter[str] = Counter()
    for clip in full:
        licence = recognised(clip.get("license"))
        name = "by decision" if clip["permission_code"] == "decided" else licence.id
        of_licence[name] = UNKNOWN if name == "by decision" else licence
        counts[name] += 1
    yield "| licence | clips | for money | altered | credit | what is altered | text with copies |"
    yield "|---|---|---|---|---|---|---|"
    for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        licence = of_licence[name]
        if not licence.is_known:
            yield f"| {name}: see `{DECISIONS_CSV}` | {count:,} | | | | | |"
            continue
        shown = " / ".join(f"[{part.id}]({part.url})" if part.url else part.id for part in licence.applies)
        yield (
            f"| {shown if licence.parts == () else f'{name}: {shown}'} | {count:,} "
            f"| {'yes' if licence.commercial else 'no'} | {'yes' if licence.altered else 'no'} "
            f"| {'yes' if licence.credit else 'polite'} "
            f"| {'under the same licence' if licence.share_alike else '' if licence.altered else 'is not passed on'} "
            f"| {'yes' if licence.text else 'no'} |"
        )
    yield ""
    yield (
        "Every clip is cut out of its source and may be in another container. Where pictures were encoded anew the "
        "column `how` says so (`joined`: at the ends; `encoded`: all), and `encoding_reason` says why (`alpha`: "
        "transparent pictures were laid over white). Say that too where you pass a clip on."
    )
    yield ""


def _codes(clips: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    counts = Counter((clip["permission"], clip["permission_code"]) for clip in clips)
    yield "## Why a clip is here as a file, or is not"
    yield ""
    yield "| permission | code | meaning | clips |"
    yield "|---|---|---|---|"
    for (permission, code), count in sorted(counts.items()):
        yield f"| {permission} | `{code}` | {for_markdown(CODES[code])} | {count:,} |"
    yield ""


def _texts(full: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    wanted = {
        part.id: part
        for clip in full
        for part in recognised(clip.get("license")).applies
        if part.text and clip["permission_code"] != "decided"
    }
    if not wanted:
        return
    yield "## Texts of licences"
    yield ""
    yield f"The copyright lines above them are the credits in `{LICENCES_CSV}`."
    yield ""
    for name in sorted(wanted):
        yield f"### {name}"
        yield ""
        yield f"```text\n{licence_text(name)}\n```" if name in TEXTS else wanted[name].url
        yield ""


@cache
def licence_text(name: str) -> str:
    """The text of one of `TEXTS`."""
    return files("emovid_assets.core.release").joinpath("texts", f"{name}.txt").read_text(encoding="utf-8").strip("\n")
