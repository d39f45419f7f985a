"""Archives whose headers claim more than there is: refused before the memory is, in a sentence."""

import gzip
import json
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from emovid_assets_tests.assets.homes import ROOT

LONG = 640_000_000
ZEROS = bytes(1_000_000)
SPARE_MB = 160
"""What reading may take beside the program; the smallest of the claims is 200 MB."""

READ = """
import json, resource, sys
from pathlib import Path
from emovid_assets.resources.collection.archives import ArchiveError, FileSet

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 1_000_000,) * 2)
said = {}
for path in map(Path, sys.argv[2:]):
    try:
        with FileSet(path).open() as files:
            files.text("manifest.csv")
            for reading in files.files():
                while reading.stream.read(1 << 20):
                    pass
        said[path.name] = "read"
    except ArchiveError as error:
        said[path.name] = str(error).removeprefix(f"{path}: ")
print(json.dumps(said))
"""


def header(name: str, kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def gzipped(path: Path, *parts: bytes, times: int = 1) -> None:
    """Bytes one behind the other, the last of them so many times: each its own stream, as gzip allows."""
    packed = [gzip.compress(part) for part in parts]
    path.write_bytes(b"".join(packed[:-1]) + packed[-1] * times)


def of_long_attributes(path: Path) -> None:
    gzipped(path, header("pax", tarfile.XHDTYPE, LONG), ZEROS, times=LONG // len(ZEROS))


def of_a_long_name(path: Path) -> None:
    gzipped(path, header("name", tarfile.GNUTYPE_LONGNAME, LONG), ZEROS, times=LONG // len(ZEROS))


def of_headers_of_headers(path: Path) -> None:
    record = b"13 comment=a\n".ljust(512, b"\0")
    gzipped(path, (header("pax", tarfile.XHDTYPE, 13) + record) * 900)


def of_many_global_attributes(path: Path) -> None:
    """Each a megabyte, and none so easily packed that the sum of them would be refused."""
    rest = os.urandom(9_000).hex().encode() + b"a" * 882_000
    with path.open("wb") as file:
        for number in range(300):
            words = b"c%06d=" % number + rest + b"\n"
            record = b"%d " % (len(words) + 7) + words
            attributes = header("g", tarfile.XGLTYPE, len(record)) + record + bytes(-len(record) % 512)
            file.write(gzip.compress(attributes + header(f"{number}.mp4", tarfile.REGTYPE, 0), 1))


def of_a_hole(path: Path) -> None:
    """A file of old GNU tar that goes on with descriptions of holes."""
    member = bytearray(header("a.mp4", tarfile.GNUTYPE_SPARSE, 0))
    member[482] = 1
    member[148:156] = b"%06o\0 " % (sum(member[:148]) + 256 + sum(member[156:]))
    block = (b"0" * 11 + b"\0") * 42 + b"\1" + bytes(7)
    gzipped(path, bytes(member), block * 2000, times=400)


def of_a_file_before_its_own_begin(path: Path) -> None:
    member = bytearray(header("a.mp4", tarfile.REGTYPE, 0))
    member[124:136] = b"\xff" * 10 + b"\xfc\0"
    member[148:156] = b"%06o\0 " % (sum(member[:148]) + 256 + sum(member[156:]))
    path.write_bytes(bytes(member) + bytes(10240))


def packed_for_a_large_memory(path: Path) -> None:
    """The dictionary is what the header says; who packs for it needs ten times as much, so it is written by hand."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(bytes(10240), lzma.FORMAT_XZ, filters=filters))
    at = data.index(b"\x21\x01", 12)
    data[at + 2] = 35
    block = data[12 : 12 + (data[12] + 1) * 4 - 4]
    data[12 + len(block) : 16 + len(block)] = struct.pack("<I", zlib.crc32(bytes(block)))
    path.write_bytes(data)


def zipped_by_bzip2(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive, archive.open("a.mp4", "w") as member:
        for _ in range(200):
            member.write(bytes(1_000_000))


def zipped_with_a_long_table_of_contents(path: Path) -> None:
    entry = b"PK\1\2" + bytes(42)
    count = 600_000
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, len(entry) * count, 0, 0)
    path.write_bytes(entry * count + end)


def zipped_with_a_table_that_claims_to_be_long(path: Path) -> None:
    path.write_bytes(b"PK\1\2" + bytes(42) + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, 4_000_000_000, 0, 0))


CLAIMS: dict[Callable[[Path], None], str] = {
    of_long_attributes: "one of its headers claims more than 1,048 kB",
    of_a_long_name: "one of its headers claims more than 1,048 kB",
    of_headers_of_headers: "damaged",
    of_many_global_attributes: "read",
    of_a_hole: "one of its headers claims more than 1,048 kB",
    of_a_file_before_its_own_begin: "more comes out of it",
    packed_for_a_large_memory: "takes more than 128 MB of memory",
    zipped_by_bzip2: "'a.mp4' is packed in a rare way",
    zipped_with_a_long_table_of_contents: "more than 200,000 members",
    zipped_with_a_table_that_claims_to_be_long: "claims 4,000 MB",
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux'")
def test_no_header_makes_an_archive_take_more_memory_than_there_is(tmp_path: Path) -> None:
    paths = [tmp_path / make.__name__ for make in CLAIMS]
    for make, path in zip(CLAIMS, paths, strict=True):
        make(path)
    assert all(path.stat().st_size < 30_000_000 for path in paths)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(SPARE_MB), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert {make.__name__: words in said[make.__name__] or said[make.__name__] for make, words in CLAIMS.items()} == {
        make.__name__: True for make in CLAIMS
    }
