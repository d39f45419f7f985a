"""Which of a file's streams are its film: one choice, made by the probe, that every other reader is told.

Belongs here: the rules of choice, and what is handed on. Does not belong here: what the packets of a stream hold
(`probe`), when they are shown (`stamps`).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALIKE_SHARE = 0.9
"""Streams with nine tenths of the pictures of the longest one are as long as it."""

_ASIDE = re.compile(r"comment|descri(ption|ptive|bed)|visually impaired|hearing impaired", re.IGNORECASE)
"""Titles of tracks whose muxer set no flag: a disc's commentary is seldom flagged and nearly always named."""


@dataclass(frozen=True)
class Tracks:
    """What is read of a file. `audio_index` is null where there is no sound to hear. Both index `container.streams`.

    `shifts`: by how many ticks of the video the stamps behind the first, second, … place move where the file was
    joined of parts (`stamps`).
    """

    video_index: int = 0
    audio_index: int | None = None
    shifts: tuple[int, ...] = ()

    @property
    def is_seekable(self) -> bool:
        """Whether a stamp says where in the file a picture is."""
        return not any(self.shifts)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Tracks":
        """From plain values, as they are kept."""
        return cls(facts["video_index"], facts["audio_index"], tuple(facts["shifts"]))


ONLY = Tracks()
"""Of a file with one stream, such as an animated picture, or whose sound is not asked for, such as a clip file."""


def picture_streams(container: Any) -> list[Any]:
    """Video streams that there is a decoder for; what is marked as a cover does not count."""
    import av

    def is_cover(stream: Any) -> bool:
        return bool(stream.disposition & av.stream.Disposition.attached_pic)

    return [s for s in container.streams.video if s.codec_context is not None and not is_cover(s)]


def film_stream(streams: Sequence[Any], picture_counts: Mapping[int, int]) -> Any:
    """The one that is watched; null where none has a picture. `picture_counts`: by index of the stream.

    Among those that move, the default one; then the one with the most pictures, where a tenth more or less is the
    same; then the largest. A phone's motion photo, a cover without its flag and an animated AVIF all carry a still.
    """
    import av

    filled = [s for s in streams if picture_counts[s.index]]
    moving = [s for s in filled if picture_counts[s.index] > 1] or filled
    chosen = [s for s in moving if s.disposition & av.stream.Disposition.default] or moving
    most = max((picture_counts[s.index] for s in chosen), default=0)
    alike = [s for s in chosen if picture_counts[s.index] >= ALIKE_SHARE * most]
    return max(alike, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0), default=None)


def other_programs(container: Any, film: Any) -> frozenset[int]:
    """Indices of the sound tracks that a broadcast sends with another picture than the film's."""

    def picture_beside(stream: Any) -> int:
        # FFmpeg looks within the program of the other stream, and nothing else tells which one that is.
        return container.streams.best("video", related=stream).index

    own = picture_beside(film)
    return frozenset(s.index for s in container.streams.audio if picture_beside(s) != own)


def sound_stream(
    streams: Iterable[Any],
    packet_counts: Mapping[int, int],
    language: str = "",
    elsewhere: Collection[int] = frozenset(),
) -> Any:
    """The one that is heard; null where no track has both packets and a decoder.

    None of those `elsewhere` (`other_programs`), and never a commentary or a description for the impaired, where there
    is another; then one in `language` (ISO 639, as the file spells it); then no dub; then the default one; then the
    first.
    """
    import av

    disposition = av.stream.Disposition
    aside = disposition.comment | disposition.visual_impaired | disposition.hearing_impaired

    def rank(stream: Any) -> tuple[bool, ...]:
        flags = stream.disposition
        return (
            stream.index in elsewhere,
            bool(flags & aside) or bool(_ASIDE.search(stream.metadata.get("title", ""))),
            bool(language) and not is_same_language(stream.language, language),
            bool(flags & disposition.dub),
            not flags & disposition.default,
        )

    heard = [stream for stream in streams if stream.codec_context is not None and packet_counts[stream.index]]
    return min(heard, key=rank, default=None)


def is_same_language(tag: str | None, wanted: str) -> bool:
    """Whether a track's tag means the language that is wanted: `en`, `eng` and `en-US` are one."""
    return _language(tag or "") == _language(wanted)


def _language(tag: str) -> str:
    primary = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return _LANGUAGES.get(primary, primary)


_LANGUAGES = {
    two: three
    for three, *others in (
        ("ara", "ar"),
        ("ces", "cs", "cze"),
        ("dan", "da"),
        ("deu", "de", "ger"),
        ("ell", "el", "gre"),
        ("eng", "en"),
        ("fas", "fa", "per"),
        ("fin", "fi"),
        ("fra", "fr", "fre"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hun", "hu"),
        ("ind", "id"),
        ("ita", "it"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("msa", "ms", "may"),
        ("nld", "nl", "dut"),
        ("nor", "no", "nb", "nob"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro", "rum"),
        ("rus", "ru"),
        ("slk", "sk", "slo"),
        ("spa", "es"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tha", "th"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("vie", "vi"),
        ("zho", "zh", "chi"),
    )
    for two in others
}
"""ISO 639-1 and the bibliographic codes of ISO 639-2 to its terminological ones, of the languages of many films."""
