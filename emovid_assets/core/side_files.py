"""Files that lie beside media and are none: what media centres, downloaders, cameras and people leave in a folder.

Belongs here: telling them by their names, and by their bytes where a name may be that of a sticker as well as that of a
poster. Does not belong here: walking folders (`resources.library_files`), and what is wrong with a medium.

A side file is neither ingested nor a failure; it is counted, by kind. What has a suffix that is not listed here, or
none, is tried as a medium. `.gif`, `.png`, `.webp` and `.avif` are media by name, since stickers come in them; a still
one that has the name of a poster, or that of a film beside it, is a picture (`is_picture_of`, `moves`). An `.ogg` is
sound unless there is a film in it.

Sources: the artwork of Kodi, Jellyfin, Plex and tinyMediaManager; the files of yt-dlp, aria2, Firefox, Chrome, Safari
and BitTorrent clients while they fetch; those of GoPro, DJI, Apple and Synology beside what they record or serve.
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from emovid_assets.core.file_names import Names
from emovid_assets.core.video.structure import read_animation

PICTURE, SUBTITLE, SOUND, TEXT, ARCHIVE, PARTIAL, SYSTEM = KINDS = (
    *("picture", "subtitle", "sound", "text"),
    *("archive", "partial download", "system file"),
)

_SUFFIXES = {
    PICTURE: "jpg jpeg jpe jfif tbn bmp tif tiff heic heif ico svg psd xcf dng cr2 cr3 nef arw raf thm",
    SUBTITLE: "srt vtt ass ssa sub idx sup smi sami lrc sbv ttml dfxp srv1 srv2 srv3 json3 usf stl aqt jss pjs mks",
    SOUND: "mp3 m4a m4b mp2 aac ac3 eac3 dts thd flac wav oga opus wma mka aif aiff ape mid midi",
    TEXT: (
        "txt md nfo csv tsv json jsonl xml xmp yaml yml toml ini cfg log pdf rtf doc docx odt xls xlsx ods epub url"
        " html htm mhtml webloc desktop lnk description sfv md5 sha1 sha256 sha512 torrent nzb m3u m3u8 pls cue strm"
        " edl aae parquet js css py sh bat ps1"
    ),
    ARCHIVE: "zip rar 7z tar gz tgz bz2 tbz2 xz txz zst lz lzma cab arj ace lzh cbz cbr par2",
    PARTIAL: "part partial ytdl crdownload opdownload download tmp temp aria2 !qb !ut bc! filepart incomplete",
    SYSTEM: "db sqlite identifier bif ifo bup mpls clpi bdmv bdjo lrv lrf exe dll msi apk dmg",
}
_BY_SUFFIX = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_BY_NAME = {
    **dict.fromkeys(("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "autorun.inf"), SYSTEM),
    **dict.fromkeys(("readme", "license", "licence", "copying", "notice", "credits", "changelog"), TEXT),
    **dict.fromkeys(("md5sums", "sha256sums", "sha512sums", "checksums"), TEXT),
}
_BY_BEGINNING = {".": SYSTEM, "~$": SYSTEM, "~syncthing~": PARTIAL, "~utorrentpartfile": PARTIAL}
_BY_PATTERN = {
    # A fragment of yt-dlp; what it makes of finished parts; volumes of RAR and ZIP, and of files cut into pieces.
    re.compile(r".*\.part-frag\d+", re.DOTALL): PARTIAL,
    re.compile(r".*\.temp\.[a-z0-9]{2,4}", re.DOTALL): PARTIAL,
    re.compile(r".*\.[rz]\d\d", re.DOTALL): ARCHIVE,
    re.compile(r".*\.(?:7z|zip|rar|tar|mp4|m4v|mkv|mov|avi|webm|ts)\.\d{3}", re.DOTALL): ARCHIVE,
}
_FOLDERS = {
    **dict.fromkeys(("extrafanart", "extrathumbs"), PICTURE),
    **dict.fromkeys(("@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"), SYSTEM),
    "__macosx": SYSTEM,
}
_FOLDER_SUFFIXES = {".trickplay": PICTURE, ".download": PARTIAL}
"""Jellyfin's previews of a film; Safari's folder around a file that is being fetched."""

MAY_BE_STILL = frozenset({".gif", ".png", ".apng", ".webp", ".avif"})
"""Suffixes of pictures that may move."""
MAY_BE_SOUND = ".ogg"
_ART = (
    r"(?:animated)?poster|fanart|backdrop|background|banner|landscape|(?:clear)?logo|(?:clear)?art|thumb(?:nail)?|cover"
    r"|disc(?:art)?|cdart|keyart|characterart|folder|icon|default|movie|show"
)
_OF_PHONES = r"(?:IMG|PXL|MVIMG|PANO|DSC[FN]?)[_-]?\d.*|screen ?shot.*|(?:photo|image)[ _-]?[\d(]*\)?"
_ARTWORK = re.compile(
    rf"(?:season(?:[ _-]?\d+|-all|-specials)[-_ ])?(?:{_ART})[-_ ]?\d*|{_OF_PHONES}", re.IGNORECASE | re.DOTALL
)
_ARTWORK_OF = re.compile(rf"(?P<film>.+)[-._ ](?:{_ART})[-_ ]?\d*", re.IGNORECASE | re.DOTALL)
INFORMATION = ".info.json"
"""Ends what yt-dlp notes of a film, whether it has got it or not."""
_FORMAT = re.compile(r"\.f\d{1,4}(?:-\d+)?$")
"""What yt-dlp puts behind the name of a film whose pictures and sound come in files of their own."""


@lru_cache(maxsize=100_000)
def kind_of(name: str) -> str | None:
    """Which of `KINDS` a file of this name is; null for what may be a medium."""
    lower = name.lower()
    if lower[0] in ".~" and (
        kind := next((_BY_BEGINNING[one] for one in _BY_BEGINNING if lower.startswith(one)), None)
    ):
        return kind
    kind = _BY_NAME.get(lower) or _BY_SUFFIX.get(os.path.splitext(lower)[1])
    return kind or next((found for pattern, found in _BY_PATTERN.items() if pattern.fullmatch(lower)), None)


def kind_of_folder(name: str) -> str | None:
    """What everything below a folder of this name is; null for a folder like any other."""
    lower = name.lower()
    return _FOLDERS.get(lower) or _FOLDER_SUFFIXES.get(os.path.splitext(lower)[1])


def waits_for(name: str) -> tuple[str, bool] | None:
    """(the file that is not complete as long as a file of this name is beside it, whether only while it is empty).

    aria2 writes into the file itself; Firefox keeps an empty one in the place of what it fetches.
    """
    of, suffix = os.path.splitext(name)
    return {".aria2": (of, False), ".part": (of, True)}.get(suffix.lower())


def is_artwork(stem: str) -> bool:
    """Whether a picture of this name, without suffix, lies beside the films in its folder and below and is no sticker:
    media centres, phones and cameras give such names."""
    return _ARTWORK.fullmatch(stem) is not None


def film_stems(name: str) -> set[str]:
    """Under which names a film has its pictures; of what lies beside one, too, while yt-dlp fetches it.

    `film.f137.mp4.part` and `film.info.json` are of `film`; a program may also add to the whole name of a file. Empty
    for other files that are no media.
    """
    if name.endswith(INFORMATION):
        return {name[: -len(INFORMATION)]}
    if kind_of(name) not in (None, PARTIAL):
        return set()
    while kind_of(name) == PARTIAL and os.path.splitext(name)[1]:
        name = os.path.splitext(name)[0]
    stem = os.path.splitext(name)[0]
    return {name, stem, _FORMAT.sub("", stem)}


def is_picture_of(stem: str, films: Names) -> bool:
    """Whether a picture belongs to one of the films in its folder; all names without suffix.

    `<film>` as yt-dlp writes it, `<film>-poster` as media centres do, `<film>.<size>` where yt-dlp fetches every size.
    """
    art = _ARTWORK_OF.fullmatch(stem)
    return films.find(stem, *([art["film"]] if art else ()), os.path.splitext(stem)[0]) is not None


def moves(path: Path) -> bool:
    """Whether a picture or an Ogg file says that it moves. Its bytes are read, not decoded. Raises OSError."""
    found = read_animation(path)
    if found is not None:
        return max(found.frame_count, found.declared_count or 0) > 1
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:4] == b"OggS":
        # The streams of a file begin before any of them goes on.
        return any(begin in head for begin in (b"\x80theora", b"OVP80", b"BBCD", b"\x01video"))
    # The brand of AVIF sequences.
    return head[4:8] == b"ftyp" and b"avis" in head[8:64]


def told(counts: Mapping[str, int]) -> str:
    """Numbers by kind in words, such as `2 pictures, 1 text`."""
    return ", ".join(f"{counts[kind]:,} {kind}{'s' * (counts[kind] > 1)}" for kind in KINDS if counts.get(kind))
