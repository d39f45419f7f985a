"""Damaged files end as a code of the quarantine or as a consistent result: never as a crash, a hang or a full memory.

`EMOVID_MUTANTS=1500 python -m pytest emovid_assets_tests/media/test_fuzz.py` looks longer than CI does.
"""

import multiprocessing
import os
from collections import Counter

import pytest
from pebble import ProcessExpired, ProcessPool

from emovid_assets_tests.media.damage import limit_memory, read_mutant

pytestmark = [pytest.mark.corpus, pytest.mark.integration]

SOURCES = (
    "hostile/10bit__h264_10bits.mp4",
    "hostile/odd_dims__161x91_vp9.webm",
    "hostile/av1__av1_video.mkv",
    "hostile/gif_anim__dispose_bgnd_transparency.gif",
    "hostile/apng__delay.png",
    "sticker/awe__star-struck.webp",
    "hostile/mpeg4_avi__testvideo-43.avi",
    "hostile/rgba__qtrle.mov",
    "hostile/theora_empty_packets__big_buck_bunny.ogv",
    "hostile/interlaced_tff__mpeg2.mpg",
    "hostile/h263_3gp__bbb_176x144_128kbps_15fps_h263.3gp",
)
MUTANTS = int(os.environ.get("EMOVID_MUTANTS", "66"))
FIRST_SEED = int(os.environ.get("EMOVID_FIRST_SEED", "0"))
TIME_S = 60.0
PEAK_BYTES = 600 << 20


def test_every_damaged_file_has_a_code_or_a_consistent_result(corpus, tmp_path):
    faults, codes = [], Counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPool(max_workers=2, max_tasks=40, context=context, initializer=limit_memory) as pool:
        futures = {}
        for number in range(MUTANTS):
            seed = FIRST_SEED + number
            source = corpus / SOURCES[seed % len(SOURCES)]
            other = corpus / SOURCES[(seed // 7) % len(SOURCES)]
            arguments = [str(source), str(other), seed, str(tmp_path)]
            futures[f"{source.name} {seed}"] = pool.schedule(read_mutant, args=arguments, timeout=TIME_S)
        for name, future in futures.items():
            try:
                outcome, peak = future.result()
            except ProcessExpired as error:
                faults.append((name, f"the process died with {error.exitcode}"))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
                faults.append((name, repr(error)))
            else:
                codes[outcome.split(":")[0].split("(")[0]] += 1
                if peak > PEAK_BYTES:
                    faults.append((name, f"peak memory {peak >> 20} MiB: {outcome[:200]}"))
    print(sorted(codes.items()))  # noqa: T201 - shown with -s, and where the test fails
    assert faults == []
    assert len(codes) > 2
