"""What becomes of every hostile file: a code of the quarantine, or the facts of a kept clip."""

import csv
import shutil
from functools import cache

import cv2
import pytest

from emovid_assets.core.video.errors import MediaError
from emovid_assets_tests.assets.homes import build, rows
from emovid_assets_tests.conftest import CORPUS
from emovid_assets_tests.media.scanning import clip_of, scan
from emovid_assets_tests.media.scanning import probe as probe_anew

pytestmark = [pytest.mark.corpus, pytest.mark.integration]

REFUSED = {
    "apng_bad__chunk_no_actl.png": "single_image",
    "audio_only__long_edit_list_audioonly.mp4": "no_video_stream",
    "bad_nal__sample_with_invalid_nalu.mp4": "corrupt_frames",
    "encrypted__sample_fragmented_widevine.mp4": "encrypted",
    "gif_bad__issue-101-infinite-empty-loop.gif": "too_large",
    "gif_bad__no_palette.gif": "corrupt_frames",
    "gif_bad__zero_width.gif": "corrupt_container",
    "gif_bomb__decompression_bomb.gif": "too_large",
    "gif_one_frame__hopper.gif": "single_image",
    "gif_one_frame__interlaced.gif": "single_image",
    "html_error_page.mp4": "not_a_video",
    "mangled_utf8__tears_of_steel_720p.mp4": "corrupt_container",
    "one_frame__one_frame.mp4": "single_image",
    "text_named_mp4__WrongFile.mp4": "not_a_video",
    "truncated__annex-b.mp4": "truncated",
    "truncated_download__sintel_trailer.mp4": "truncated",
    "zero_length__result.webm": "empty_file",
}
"""File → code."""

ACCEPTED = {
    "-video-with-dash-.mp4": (1, 1, 5, 5.0),
    "10bit__h264_10bits.mp4": (200, 200, 30, 1.0),
    "Grand Lapin – été ñ 兎 🐰 (copy).webm": (1280, 720, 24, 0.999),
    "alpha_vp9__transparent.webm": (200, 200, 150, 5.0),
    "apng__delay.png": (128, 64, 4, 3.0),
    "av1__av1_video.mkv": (640, 360, 125, 5.0),
    "clip_without_extension": (128, 128, 10, 1.0),
    "counter__counter.mp4": (1920, 1080, 30, 3.0),
    "edit_list__sample_edit_list_only_preroll_sync_sample.mp4": (640, 360, 16, 0.5332),
    "edit_list_yuv444__iibbibb_editlist_videoonly.mp4": (704, 576, 12, 12.0),
    "empty_track__sample_empty_track.mp4": (1080, 720, 30, 1.001),
    "fades__fades.mp4": (480, 320, 250, 10.0),
    "gif_anim__dispose_bgnd_transparency.gif": (38, 32, 10, 4.4),
    "gif_anim__duplicate_frame.gif": (10, 10, 3, 3.0),
    "gif_anim__transparent_dispose.gif": (3, 1, 3, 1.1),
    "gif_bytes_named.mp4": (15, 17, 2, 0.2),
    "gif_long__gifplayer-muybridge.gif": (472, 298, 380, 58.55),
    "gray__gray_ffv1.mkv": (160, 90, 48, 1.999),
    "h263_3gp__bbb_176x144_128kbps_15fps_h263.3gp": (176, 144, 15, 1.0),
    "hdr_hlg_10bit__hlg10-color-test.mp4": (1920, 1080, 9, 0.3001),
    "hevc__h265_video.mp4": (128, 128, 10, 1.0),
    "interlaced_tff__mpeg2.mpg": (320, 180, 75, 3.0),
    "long_static_av1__long_180p_av1.mp4": (320, 180, 21766, 362.7667),
    "mpeg4_avi__testvideo-43.avi": (1024, 768, 10, 2.0),
    "no_duration__no_duration.webm": (1280, 720, 74, 4.938),
    "odd_dims__161x91_vp9.webm": (161, 91, 36, 1.499),
    "odd_dims_vfr__trim_optimization_failure.mp4": (518, 488, 167, 5.5887),
    "prores__prores422_proxy.mov": (240, 136, 36, 1.5),
    "rgba__qtrle.mov": (96, 96, 40, 1.2),
    "rotated__portrait.MOV": (320, 568, 62, 2.0683),
    "silent_black__silent-black-25s.mp4": (320, 240, 750, 25.0),
    "single_keyframe__gop.mp4": (224, 126, 72, 3.0),
    "start_offset_sar__bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4": (800, 640, 120, 4.0),
    "theora_empty_packets__big_buck_bunny.ogv": (640, 360, 186, 7.9167),
    "vfr__sample_android_slow_motion.mp4": (1280, 720, 7, 0.5253),
    "vp9_square__bbb_642x642_768kbps_30fps_vp9.webm": (642, 642, 90, 3.0),
}
"""File → width, height, frames, seconds."""

INTERLACED = {"interlaced_tff__mpeg2.mpg"}
HDR = {"hdr_hlg_10bit__hlg10-color-test.mp4"}
TURNED = {"rotated__portrait.MOV": 90}

TOO_SLOW_TO_SCAN_HERE = {"long_static_av1__long_180p_av1.mp4", "gif_long__gifplayer-muybridge.gif"}


probe = cache(probe_anew)


def test_every_file_of_the_manifest_has_an_expected_outcome(corpus):
    with (corpus / "MANIFEST.csv").open(encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        named = {row["path"].removeprefix("hostile/") for row in rows if row["domain"] == "hostile"}
    assert named == REFUSED.keys() | ACCEPTED.keys()


def probed_and_scanned(path):
    """Some damage shows only when the frames are decoded; the file is in quarantine all the same."""
    return scan(path, whole=True, tracks=probe(path).tracks)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_refused_has_the_code_that_fits(corpus, name):
    with pytest.raises(MediaError) as caught:
        probed_and_scanned(corpus / "hostile" / name)
    assert caught.value.code == REFUSED[name]


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_file_that_is_odd_but_whole_is_kept_with_a_clip_of_every_frame(corpus, tmp_path, name):
    path = corpus / "hostile" / name
    facts = probe(path)
    width, height, frames, seconds = ACCEPTED[name]
    assert (facts.width_px, facts.height_px, facts.frame_count) == (width, height, frames)
    assert facts.duration_s == pytest.approx(seconds, abs=1e-3)
    if name in TOO_SLOW_TO_SCAN_HERE:
        return
    segment = clip_of(path, tmp_path / "clip", whole=True, tracks=facts.tracks, thumbnails=tmp_path)
    assert segment["end_frame"] == frames
    assert segment["duration_s"] == pytest.approx(facts.duration_s)
    (written,) = tmp_path.glob("clip.*")
    clip = probe(written)
    assert clip.frame_count == frames
    assert clip.duration_s == pytest.approx(facts.duration_s, abs=2e-3)
    assert (clip.width_px, clip.height_px) == (width + width % 2, height + height % 2)


def test_fields_high_dynamic_range_and_turned_pictures_are_flagged_and_nothing_else_is(corpus):
    paths = [corpus / "hostile" / name for name in ACCEPTED]
    paths += [path for domain in ("movie", "animation") for path in sorted((corpus / domain).iterdir())]
    facts = {path.name: probe(path) for path in paths}
    assert {name for name, found in facts.items() if found.is_interlaced} == INTERLACED
    assert {name for name, found in facts.items() if found.is_hdr} == HDR
    assert {name: found.rotation_deg for name, found in facts.items() if found.rotation_deg} == TURNED
    assert facts["10bit__h264_10bits.mp4"].pixel_format == "yuv420p10le"
    assert facts["av1__av1_video.mkv"].video_codec == "av1"


def test_the_phone_film_is_upright(corpus, tmp_path):
    path = corpus / "hostile" / "rotated__portrait.MOV"
    segment = scan(path, whole=True, tracks=probe(path).tracks, thumbnails=tmp_path)["segments"][0]
    picture = cv2.imread(str(tmp_path / f"{segment['clip_id']}.jpg"))
    assert picture.shape == (320, 180, 3)
    # OpenCV applies the display matrix by itself: an independent witness of which way is up.
    capture = cv2.VideoCapture(str(path))
    frames = [capture.read()[1] for _ in range(41)]
    witness = cv2.resize(frames[40], (180, 320), interpolation=cv2.INTER_AREA)
    turned = cv2.rotate(witness, cv2.ROTATE_180)
    assert cv2.absdiff(picture, witness).mean() < 6 < cv2.absdiff(picture, turned).mean()


def test_the_corpus_is_where_the_tests_look(corpus):
    assert corpus == CORPUS


def test_a_build_tries_a_source_that_cannot_be_scanned_once(corpus, tmp_path):
    folder = tmp_path / "library" / "animation"
    folder.mkdir(parents=True)
    for name in ("bad_nal__sample_with_invalid_nalu.mp4", "10bit__h264_10bits.mp4"):
        shutil.copyfile(corpus / "hostile" / name, folder / name)
    for attempt_count in (1, 2):
        build(tmp_path, domains=["animation"], retry_quarantined=True)
        (failure,) = rows(tmp_path, "processing_errors", "animation")
        assert (failure["asset"], failure["code"], failure["attempt_count"]) == (
            "scanned_segments",
            "corrupt_frames",
            attempt_count,
        )
    assert len(rows(tmp_path, "clip_media", "animation")) == 1
