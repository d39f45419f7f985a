"""What is wrong with a file, in the words that a person who opens it in a hex editor would use."""

import gzip
import json
import struct
import zipfile

import av
import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.structure import why_unreadable
from emovid_assets_tests.media.making import beeps, write_video
from emovid_assets_tests.media.scanning import probe

H264 = {"codec": "libx264", "pix_fmt": "yuv420p"}
LOTTIE = {"v": "5.5.2", "fr": 60, "ip": 0, "op": 180, "w": 512, "h": 512, "assets": [], "layers": []}


def refused(path):
    """Code and detail."""
    with pytest.raises(MediaError) as caught:
        probe(path)
    return caught.value.code, caught.value.detail


def noise(count=50, height=48, width=64):
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def encoded(path, codec, count=50, *, container_options=None, **options):
    """A film of noise, by PyAV alone."""
    with av.open(str(path), "w", options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=25, options={"g": "10", **options})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in noise(count):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    indexed = {"movflags": "frag_keyframe+empty_moov+default_base_moof+dash+global_sidx"}
    return {
        "mp4": write_video(folder / "film.mp4", noise(), **H264).read_bytes(),
        "fragments": encoded(folder / "fragments.mp4", "libx264", container_options=fragments).read_bytes(),
        "indexed": encoded(folder / "indexed.mp4", "libx264", container_options=indexed).read_bytes(),
        "webm": encoded(folder / "film.webm", "libvpx").read_bytes(),
        "ogv": encoded(folder / "film.ogv", "libvpx").read_bytes(),
    }


@pytest.fixture
def path(tmp_path):
    return tmp_path / "film.mp4"


def element(name, content):
    """One EBML element, its size in eight bytes."""
    return bytes.fromhex(name) + struct.pack(">Q", 1 << 56 | len(content)) + content


def spans(data, name, start, end):
    """Where the elements of that name begin, where their content does, and where it ends."""
    at = start
    while at < end:
        body = at + 9 - data[at].bit_length()
        width = 9 - data[body].bit_length()
        size = int.from_bytes(data[body : body + width], "big") & ((1 << 7 * width) - 1)
        if data[at:body] == name:
            yield at, body + width, body + width + size
        at = body + width + size


def with_encodings(webm, encodings, track=0):
    """The WebM with more said of one of its tracks, as a live recorder writes it: without lengths and index."""
    segment = webm.index(bytes.fromhex("18538067")) + 4
    (tracks,) = spans(webm, bytes.fromhex("1654ae6b"), segment + 8, len(webm))
    entries = list(spans(webm, b"\xae", *tracks[1:]))
    contents = [
        webm[start:end] + (encodings if number == track else b"") for number, (_, start, end) in enumerate(entries)
    ]
    changed = element("1654ae6b", b"".join(element("ae", content) for content in contents))
    rest = webm[tracks[2] : webm.rindex(bytes.fromhex("1c53bb6b"))]
    return webm[:segment] + b"\x01" + b"\xff" * 7 + webm[segment + 8 : tracks[0]] + changed + rest


ENCRYPTION = element("5033", b"\x01") + element("5035", element("47e1", b"\x05") + element("47e2", b"0123456789abcdef"))
SIGNATURE = element("5033", b"\x01") + element("5035", element("47e1", b"\x00"))
COMPRESSION = element("5034", element("4254", b"\x03") + element("4255", b""))


def test_an_encrypted_webm_is_called_encrypted(films, path):
    path.write_bytes(with_encodings(films["webm"], element("6d80", element("6240", ENCRYPTION))))
    assert refused(path)[0] == "encrypted"
    assert why_unreadable(path)[0] == "encrypted"


@pytest.mark.parametrize("encoding", [COMPRESSION, SIGNATURE])
def test_a_webm_that_is_compressed_or_signed_is_not_encrypted(films, path, encoding):
    path.write_bytes(with_encodings(films["webm"], element("6d80", element("6240", encoding))))
    assert probe(path).frame_count == 50


def test_an_encrypted_sound_track_is_no_reason_to_lose_the_pictures(tmp_path):
    path = tmp_path / "film.webm"
    sound = {"sound": beeps(2.0, 1.0), "sound_codec": "libopus"}
    write_video(path, noise(), codec="libvpx", pix_fmt="yuv420p", **sound)
    path.write_bytes(with_encodings(path.read_bytes(), element("6d80", element("6240", ENCRYPTION)), track=1))
    assert probe(path).frame_count == 50


def test_a_segment_of_a_stream_names_what_is_missing(films, path):
    data = films["fragments"]
    first = data.index(b"moof") - 4
    brand = struct.pack(">I4s4sI4s", 20, b"styp", b"msdh", 0, b"msdh")
    for segment in (data[first:], brand + data[first:], data[first : first + 5000]):
        path.write_bytes(segment)
        code, detail = refused(path)
        assert (code, detail) == ("no_initialisation", "The file begins with a fragment of MP4")
    indexed = films["indexed"]
    path.write_bytes(indexed[indexed.index(b"sidx") - 4 :])
    assert refused(path)[0] == "no_initialisation"
    webm = films["webm"]
    path.write_bytes(webm[webm.index(bytes.fromhex("1f43b675")) :])
    assert refused(path)[0] == "no_initialisation"


def test_an_initialisation_segment_alone_says_so(films, path):
    data = films["fragments"]
    path.write_bytes(data[: data.index(b"moof") - 4])
    code, detail = refused(path)
    assert code == "truncated"
    assert "initialisation segment" in detail


def test_what_is_appended_to_a_film_of_fragments_is_no_cut(films, path):
    for end in (b"", b"appended by a web server"):
        path.write_bytes(films["fragments"] + end)
        assert probe(path).frame_count == 50


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_film_of_fragments_that_ends_within_one_is_truncated(films, path, share):
    data = films["fragments"]
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path)[0] == "truncated"


def test_fragments_that_only_an_index_of_segments_names_are_missed(films, path):
    data = films["indexed"]
    path.write_bytes(data)
    assert probe(path).frame_count == 50
    # Between two fragments: no box is cut.
    path.write_bytes(data[: data.rindex(b"moof") - 4])
    code, detail = refused(path)
    assert code == "truncated"
    assert str(data.index(b"mfra") - 4) in detail


def patched(data, kind, size, *, wide=False):
    """The box of that kind with another size; `wide` writes it in 64 bits over the first bytes of its content."""
    at = data.index(kind) - 4
    if wide:
        return data[:at] + struct.pack(">I4sQ", 1, kind, size) + data[at + 16 :]
    return data[:at] + struct.pack(">I", size) + data[at + 4 :]


@pytest.mark.parametrize(
    ("kind", "size", "wide", "seen"),
    [
        (b"mdat", 7, False, "less than its own header"),
        (b"mdat", 12, True, "less than its own header"),
        (b"mdat", 1 << 62, True, "more than such a box can have"),
        (b"ftyp", 1 << 30, False, "more than such a box can have"),
        (b"mdat", 1001, False, "there is no box"),
    ],
)
def test_a_box_whose_size_cannot_be_true_is_damage_and_no_cut(films, path, kind, size, wide, seen):
    path.write_bytes(patched(films["mp4"], kind, size, wide=wide))
    code, detail = refused(path)
    assert code == "corrupt_container"
    assert seen in detail


def test_boxes_longer_than_what_they_lie_in_are_damage(films, path):
    data = films["mp4"]
    path.write_bytes(patched(patched(data, b"stsd", 1 << 30), b"stbl", 1 << 20))
    assert why_unreadable(path) == (
        "corrupt_container",
        f"The box `stbl` at byte {data.index(b'stbl') - 4} is longer than the box `minf` that it lies in",
    )
    index = data.index(b"moov") - 4
    front = data[:32] + patched(data[index:], b"moov", 0) + data[32:index]
    path.write_bytes(front)
    assert why_unreadable(path)[0] == "corrupt_container"
    assert "lies within the index" in why_unreadable(path)[1]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.97])
def test_a_film_that_was_cut_off_is_truncated(films, path, share):
    path.write_bytes(films["mp4"][: int(len(films["mp4"]) * share)])
    assert refused(path)[0] == "truncated"


def test_an_ogg_film_without_its_last_page_is_truncated(films, path):
    data = films["ogv"]
    path.write_bytes(data)
    assert probe(path).frame_count == 50
    path.write_bytes(data + b"appended by a web server")
    assert probe(path).frame_count == 50
    for end in (len(data) // 2, len(data) - 1, data.rindex(b"OggS"), data.rindex(b"OggS") + 20):
        path.write_bytes(data[:end])
        assert refused(path)[0] == "truncated"


def test_an_ogg_film_that_another_program_wrote_may_end_without_a_mark(films, path):
    data = films["ogv"]
    path.write_bytes(data[: data.rindex(b"OggS")].replace(b"Lavf", b"Some").replace(b"ffmpeg", b"others"))
    # The pages' checksums are wrong now, and FFmpeg does not mind.
    assert 40 <= probe(path).frame_count < 50


def subtitles(path, sound=False):
    """A file with one line of text, and sound where it is asked for."""
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:00,100 --> 00:00:01,000\nhello\n")
    with av.open(str(text)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.subtitles[0])
        audio = output.add_stream("pcm_s16le", rate=48000, layout="mono") if sound else None
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
        if audio:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), "s16", "mono")
            frame.sample_rate = 48000
            output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path


def test_a_film_without_pictures_says_what_it_has(tmp_path):
    path = subtitles(tmp_path / "film.mkv")
    assert refused(path) == ("no_video_stream", "The file has subtitles only")
    assert refused(path.with_suffix(".srt")) == ("no_video_stream", "The file has subtitles only")
    path = subtitles(tmp_path / "film.mkv", sound=True)
    assert refused(path) == ("no_video_stream", "The file has sound and subtitles, but no pictures")


@pytest.mark.parametrize("name", ["sticker.tgs", "sticker.json", "sticker.lottie", "new.lottie"])
def test_vector_stickers_are_called_so_by_their_content(tmp_path, path, name):
    text = json.dumps(LOTTIE).encode()
    if name == "sticker.tgs":
        path.write_bytes(gzip.compress(text))
    elif name == "sticker.json":
        path.write_bytes(b"\xef\xbb\xbf" + text)
    else:
        folder = "animations/one.json" if name == "sticker.lottie" else "a/one.json"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", "{}")
            archive.writestr(folder, text)
    assert refused(path)[0] == "vector_sticker"


def test_a_bomb_of_gzip_is_not_unpacked(path):
    path.write_bytes(gzip.compress(bytes(30 << 20), 1))
    assert refused(path) == ("not_a_video", "The file is a gzip archive")


ZIP = b"PK\3\4" + bytes(22) + struct.pack("<2H", 8, 0) + b"text.txt"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"<!DOCTYPE html><title>404</title>", "a web page (HTML)"),
        ("\ufeff<html><body>Nein</body></html>".encode("utf-16"), "a web page (HTML)"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "a drawing (SVG)"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an XML text"),
        (b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>', "a manifest (DASH)"),
        (b'{"error": "not found"}', "a JSON text"),
        (b"please log in\n", "a text"),
        ("caf\u00e9 cr\u00e8me\n".encode("latin-1") * 5, "a text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "`git lfs pull`"),
        (b"%PDF-1.7\n\xe2\xe3", "a document (PDF)"),
        (ZIP, "a ZIP archive"),
        (bytes(257) + b"ustar\x0000" + bytes(248), "a tar archive"),
        (b"FWS\x06" + struct.pack("<I", 100) + bytes(92), "a Flash animation (SWF)"),
    ],
)
def test_what_is_no_video_is_called_by_its_name(path, content, seen):
    path.write_bytes(content)
    code, detail = refused(path)
    assert code == "not_a_video"
    assert seen in detail


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.ts\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_a_list_of_other_files_is_no_film_although_ffmpeg_would_play_it(tmp_path, text):
    write_video(tmp_path / "other.ts", noise(10), **H264)
    path = tmp_path / "list.m3u8"
    path.write_text(text)
    code, detail = refused(path)
    assert code == "not_a_video"
    assert "names other files" in detail


def test_what_a_download_did_not_fill_in_is_named(films, path):
    path.write_bytes(bytes(3 << 20))
    assert refused(path) == (
        "corrupt_container",
        "The file holds nothing but zeros: its download was never filled in",
    )
    data = films["mp4"]
    path.write_bytes(bytes(1000) + data[1000:])
    code, detail = refused(path)
    assert code == "corrupt_container"
    assert "zeros" in detail
    index = data.index(b"moov") - 4
    path.write_bytes(data[:index] + bytes(len(data) - index))
    assert refused(path) == (
        "truncated",
        f"From byte {index} on the file holds zeros: its download was not filled in",
    )


def test_raw_pictures_with_a_header_of_text_are_a_film(tmp_path):
    path = tmp_path / "film.y4m"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in noise(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    assert path.read_bytes().startswith(b"YUV4MPEG2")
    assert probe(path).frame_count == 3


def test_a_still_picture_of_a_phone_is_a_still_picture(path):
    brands = b"heic\0\0\0\0mif1heic"
    path.write_bytes(struct.pack(">I4s", 8 + len(brands), b"ftyp") + brands + struct.pack(">I4sI", 12, b"meta", 0))
    assert refused(path)[0] == "single_image"


def test_a_png_with_trailing_bytes_is_what_it_was(tmp_path):
    images = [Image.fromarray(pixels) for pixels in noise(3)]
    path = tmp_path / "sticker.png"
    images[0].save(path, save_all=True, append_images=images[1:], duration=100)
    path.write_bytes(path.read_bytes() + b"behind the end")
    assert probe(path).frame_count == 3
