"""The media work as a DataChain pipeline: run in an environment that has `datachain` and `scenedetect`.

`main(file, folder)` prints one line of JSON: CPU-seconds after the imports, clips. Cuts come from
PySceneDetect in a user function, clips from `VideoFragment.save`, colour from `get_frames` with a step.
"""

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

MIN_S, MAX_S, STRIDE = 4.0, 30.0, 20


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(file_name: str, folder_name: str) -> None:
    path, folder = Path(file_name), Path(folder_name)
    os.environ["DATACHAIN_ROOT_DIR"] = str(folder / "state")
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"
    import cv2
    import datachain as dc
    import numpy as np
    from datachain import VideoFile, VideoFragment
    from scenedetect import ContentDetector, detect

    cv2.setNumThreads(1)
    start = cpu_seconds()

    def fragments(file: VideoFile) -> Iterator[VideoFragment]:
        for begin, end in detect(str(path), ContentDetector(), start_in_scene=True):
            if MIN_S <= end.seconds - begin.seconds <= MAX_S:
                yield file.get_fragment(begin.seconds, end.seconds)

    def colour(fragment: VideoFragment) -> float:
        fragment.save(str(folder / "clips"))
        info = fragment.video.get_info()
        total = []
        for frame in fragment.video.get_frames(
            round(fragment.start * info.fps), round(fragment.end * info.fps), STRIDE
        ):
            pixels = frame.get_np()
            if not total:
                small = cv2.resize(pixels, (320, round(320 * pixels.shape[0] / pixels.shape[1])))
                cv2.imwrite(str(folder / f"{fragment.start:.3f}.jpg"), small)
            total.append(float(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).mean()))
        return float(np.mean(total))

    files = dc.read_storage(path.as_uri(), type="video")
    chain = files.gen(fragment=fragments).map(colour=colour, params=["fragment"], output={"colour": float})
    count = len(chain.to_values("colour"))
    print(json.dumps({"cpu_s": cpu_seconds() - start, "clip_count": count}))
