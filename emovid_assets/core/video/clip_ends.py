"""The first and the last pictures of a clip, encoded so that they can stand in one track with the source's own packets.

Belongs here: the encoder for each codec, with the source's size, shape, colours and clock. Does not belong here: which
pictures are encoded (`clip_join`), whether they came out right (`clip_proof`).

A decoder must find the parameters of either part wherever it is sent. VP8, VP9 and AV1 carry them in each key frame.
H.264 names them by numbers, so the encoded pictures get a number that the source does not use; and where the source
counts in fine ticks, their parameters must not say that a picture lasts one (`force-cfr`): readers believe it.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from emovid_assets.core.video.clip_source import CannotCopyError, Source
from emovid_assets.core.video.h264 import IDR, PICTURE, SEQUENCE, SLICE, Header, units_between_start_codes
from emovid_assets.core.video.written import codec_name

ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"crf": "18", "preset": "veryfast", "bf": "0"}),
    # Of one quality: libvpx has no other way for VP8 that does not spare bits for what would come next.
    "vp8": (
        "libvpx",
        {"qmin": "12", "qmax": "12", "b": "100M", "deadline": "good", "cpu-used": "5", "lag-in-frames": "0"},
    ),
    "vp9": (
        "libvpx-vp9",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "lag-in-frames": "0", "auto-alt-ref": "0"},
    ),
    "av1": ("libsvtav1", {"crf": "24", "preset": "9", "svtav1-params": "pred-struct=1:keyint=-1:scd=0:lp=1"}),
}
"""By the source's codec. Every packet is one picture, in the order of showing.

From SVT-AV1's preset 10 on, pictures with hard edges come out at 19 dB now and then, and files larger."""
PROFILES = {66: "baseline", 77: "main", 100: "high"}
"""H.264's, by the number in its header: what plays the source plays the encoded pictures."""
TAGS = ("colorspace", "color_range", "color_primaries", "color_trc")


class Ends:
    """The encoder of one clip's ends: each gets a key frame at its beginning."""

    def __init__(self, source: Source, packets: Iterable[Any]) -> None:
        """`packets` are those that are copied. Raises CannotCopyError where nothing can be joined to them."""
        self._stream = source.video
        self._codec = codec_name(source.video)
        self._header: Header | None = None
        self._sets: dict[bytes, None] = {}
        self._number = 0
        if self._codec == "h264":
            self._header = Header.of(source.video)
            number = self._header.free_id(packets) if self._header else None
            if number is None:
                raise CannotCopyError("no_free_parameter_set")
            self._number = number

    @property
    def header(self) -> bytes | None:
        """The track's header with what the encoded pictures need; null where they need nothing there."""
        if self._header is None:
            return None
        sequences = [unit for unit in self._sets if unit[0] & 31 == SEQUENCE]
        return self._header.with_sets(sequences, [unit for unit in self._sets if unit[0] & 31 == PICTURE])

    def encoded(self, pictures: Iterable[Any]) -> list[Any]:
        """Packets of decoded pictures, with their stamps. Raises CannotCopyError where the encoder leaves one out."""
        encoder = self._encoder()
        made: list[Any] = []
        stamps = []
        for picture in pictures:
            # Otherwise the encoder makes key frames where the source had them.
            picture.pict_type = 0
            stamps.append(picture.pts)
            made += encoder.encode(picture)
        made += encoder.encode(None)
        if len(made) != len(stamps):
            raise CannotCopyError("not_exact")
        for packet, pts in zip(made, stamps, strict=True):
            # libvpx counts in tenths of a microsecond, WebM may in nanoseconds.
            packet.pts, packet.time_base = pts, Fraction(self._stream.time_base)
        return [self._packet(packet) for packet in made]

    def _encoder(self) -> Any:
        import av

        name, options = ENCODERS[self._codec]
        context, its = av.CodecContext.create(name, "w"), self._stream.codec_context
        context.width, context.height, context.pix_fmt = its.width, its.height, its.pix_fmt
        context.time_base = Fraction(self._stream.time_base)
        context.framerate = _rate(self._stream)
        context.sample_aspect_ratio = self._stream.sample_aspect_ratio or 1
        for tag in TAGS:
            setattr(context, tag, getattr(its, tag))
        context.thread_count = 1
        if self._header is not None:
            options = options | {"x264-params": f"sps-id={self._number}:force-cfr=1:cpu-independent=1"}
            if self._header.profile in PROFILES:
                options["profile"] = PROFILES[self._header.profile]
        context.options = options
        return context

    def _packet(self, packet: Any) -> Any:
        if self._header is None:
            return packet
        import av

        found = units_between_start_codes(bytes(packet))
        self._sets |= dict.fromkeys(unit for unit in found if unit[0] & 31 in (SEQUENCE, PICTURE))
        made = av.Packet(self._header.packed(unit for unit in found if unit[0] & 31 in (SLICE, IDR)))
        made.pts, made.time_base, made.is_keyframe = packet.pts, packet.time_base, packet.is_keyframe
        return made


def _rate(stream: Any) -> Fraction:
    rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
    return min(max(rate, Fraction(1)), Fraction(240)).limit_denominator(1001)


def decoded(source: Source, packets: Iterable[Any], first_pts: int, last_pts: int) -> Iterator[Any]:
    """The pictures of packets from one stamp to another, both included.

    Raises CannotCopyError where they are not all alike, or cannot be joined to others.
    """
    import av

    context = source.video.codec_context
    context.flush_buffers()
    look = (context.width, context.height, context.pix_fmt)
    try:
        for packet in (*packets, None):
            for picture in context.decode(packet):
                if picture.pts > last_pts:
                    return
                if picture.pts >= first_pts:
                    if (picture.width, picture.height, picture.format.name) != look:
                        raise CannotCopyError("changing_parameters")
                    if picture.interlaced_frame:
                        raise CannotCopyError("interlaced")
                    yield picture
    except av.error.FFmpegError as error:
        raise CannotCopyError("unreadable_packets") from error
    finally:
        context.flush_buffers()
