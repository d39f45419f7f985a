"""Parameter sets and units of H.264, against records written by hand."""

from types import SimpleNamespace

import pytest

from emovid_assets.core.video.h264 import Header, is_idr, units, units_between_start_codes

SEQUENCE = bytes([0x67, 100, 0, 30, 0b1010_0000])
"""Number 0: its first bit behind profile and level is the code for it."""
PICTURE = bytes([0x68, 0b0101_0000])
"""Number 1, by the bits 010."""
RECORD = bytes([1, 100, 0, 30, 0xFF, 0xE1, 0, 5]) + SEQUENCE + bytes([1, 0, 2]) + PICTURE + bytes([0xFD, 0xF8, 0xF8, 0])


def stream(record):
    return SimpleNamespace(codec_context=SimpleNamespace(extradata=record))


def test_a_record_gives_its_sets_and_takes_more_behind_them():
    header = Header.of(stream(RECORD))
    assert (header.length_size, header.profile) == (4, 100)
    assert (header.sequences, header.pictures, header.extension) == ((SEQUENCE,), (PICTURE,), RECORD[-4:])
    other, another = SEQUENCE[:-1] + b"\x40", b"\x68\xa0"
    longer = Header.of(stream(header.with_sets([other], [another])))
    assert (longer.sequences, longer.pictures) == ((SEQUENCE, other), (PICTURE, another))
    assert longer.extension == header.extension
    assert header.with_sets([], []) == RECORD


def test_a_number_is_free_that_neither_the_record_nor_a_packet_uses():
    header = Header.of(stream(RECORD))
    assert header.free_id([]) == 31
    last = bytes([0x68, 0b0000_0100, 0b0000_0001])
    assert header.free_id([header.packed([last])]) == 30


@pytest.mark.parametrize("record", [None, b"", b"\x01", b"\0\0\0\1" + SEQUENCE, *(RECORD[:n] for n in range(1, 18))])
def test_what_is_no_record_or_half_of_one_is_none(record):
    assert Header.of(stream(record)) is None
    assert not is_idr(b"\0\0\0\1\x65", stream(record))


def test_units_are_found_by_their_lengths_and_by_start_codes():
    slices = [b"\x06\x05", b"\x65\x88\x80", b"\x41\x9a"]
    packet = Header.of(stream(RECORD)).packed(slices)
    assert [bytes(unit) for unit in units(packet, 4)] == slices
    assert units_between_start_codes(b"\0\0\0\1" + b"\0\0\1".join(slices)) == slices
    assert is_idr(packet, stream(RECORD))
    assert not is_idr(packet[:6], stream(RECORD))
