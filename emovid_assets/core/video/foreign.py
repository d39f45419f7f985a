"""What a file is that somebody took for a video: a web page, an archive, a list of files, a drawing.

Belongs here: telling by the first bytes, before FFmpeg opens the file. FFmpeg takes lists (HLS, `ffconcat`, SDP) for
films, and opens what they name: other files, whose bytes nobody hashed.
Does not belong here: media that are damaged (`structure`).
"""

import codecs
import re
import zlib
from pathlib import Path

HEAD_BYTES = 1 << 16
PRINTABLE_SHARE = 0.95

PLAYLISTS = (
    (b"#EXTM3U", "a playlist (HLS)"),
    (b"[playlist]", "a playlist"),
    (b"ffconcat version", "a list of files for FFmpeg"),
    (b"v=0", "a description of a stream (SDP)"),
)
SUBTITLES = re.compile(rb"WEBVTT|\[Script Info\]|\d+\r?\n\d+:\d\d:\d\d,\d{3} --> ")
BINARIES = (
    (b"%PDF-", "a document (PDF)"),
    (b"PK\3\4", "a ZIP archive"),
    (b"PK\5\6", "a ZIP archive"),
    (b"Rar!\x1a\7", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\xfd7zXZ\0", "an XZ archive"),
    (b"(\xb5/\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"\x7fELF", "a program"),
    (b"\0\5\x16\7", "what macOS keeps beside another file (`._` name)"),
    (b"SQLite format 3\0", "a database"),
    (b"d8:announce", "a torrent"),
)
FLASH = (b"FWS", b"CWS", b"ZWS")
"""Flash animations may hold films, so FFmpeg is asked first."""


def what_else(path: Path) -> tuple[str, str] | None:
    """Code and detail of a file that is certainly no video; null where it may be one."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if _is_lottie(head):
        return "vector_sticker", "The file is an animated drawing (Lottie)"
    if head.startswith(b"\x1f\x8b") and _is_lottie(_unpacked(head)):
        return "vector_sticker", "The file is a Telegram sticker (TGS: Lottie in gzip)"
    if head.startswith(b"PK\3\4") and _has_lottie_names(head):
        return "vector_sticker", "The file is an animated drawing (dotLottie)"
    kind = next((kind for start, kind in BINARIES if head.startswith(start)), None)
    if kind:
        return "not_a_video", f"The file is {kind}"
    if head[257:262] == b"ustar":
        return "not_a_video", "The file is a tar archive"
    return _text(head)


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _is_lottie(text: bytes) -> bool:
    """Rate, first and last frame, and size of a JSON object; layers may come behind pictures of any size."""
    keys = (b'"fr"', b'"ip"', b'"op"', b'"w"', b'"h"')
    return text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and all(key in text for key in keys)


def _has_lottie_names(head: bytes) -> bool:
    names = {
        head[at + 30 : at + 30 + int.from_bytes(head[at + 26 : at + 28], "little")]
        for at in (match.start() for match in re.finditer(rb"PK\x03\x04", head))
    }
    # Version 1 and version 2 of the format.
    return any(name.startswith((b"animations/", b"a/")) and name.endswith((b".json", b".lot")) for name in names)


def _text(head: bytes) -> tuple[str, str] | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            head = head[: len(head) // 2 * 2].decode("utf-16").encode()
        except UnicodeDecodeError:
            return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = start[:4096].lower()
    if not start or not _is_printable(head) or start.startswith(b"YUV4MPEG2"):
        return None
    if SUBTITLES.match(start):
        return "no_video_stream", "The file has subtitles only"
    if b"https://git-lfs.github.com/spec" in lower:
        return "not_a_video", "The file is a pointer of Git LFS; `git lfs pull` fetches what it stands for"
    kind = next((kind for word, kind in PLAYLISTS if lower.startswith(word.lower())), None)
    if kind:
        return "not_a_video", f"The file is {kind}: it names other files and holds no pictures"
    if lower.startswith(b"<"):
        if b"<mpd" in lower:
            return "not_a_video", "The file is a manifest (DASH): it names other files and holds no pictures"
        if b"<svg" in lower:
            return "not_a_video", "The file is a drawing (SVG)"
        is_page = re.search(rb"<!doctype html|<html|<head|<body", lower)
        return "not_a_video", "The file is a web page (HTML)" if is_page else "The file is an XML text"
    if lower.startswith((b"{", b"[")):
        return "not_a_video", "The file is a JSON text"
    return "not_a_video", "The file is a text"


def _is_printable(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        # A character may be cut at the end of the head.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    printable = sum(character.isprintable() or character in "\t\r\n\f" for character in text)
    return printable >= PRINTABLE_SHARE * len(text)


def is_flash(head: bytes) -> bool:
    return head.startswith(FLASH) and 0 < head[3] < 64
