"""The media work as a Pixeltable pipeline: for an environment that has `pixeltable` and `scenedetect`.

`main(file, folder)` prints one line of JSON: CPU-seconds after imports and start of its database, clips. Cuts by
its `scene_detect_content`, clips by its `clip` without re-encoding, colour over the frames of each clip by a user
function. Work inside its database server is not counted.
"""

import json
import os
import resource
from pathlib import Path

MIN_S, MAX_S, STRIDE = 4.0, 30.0, 20


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(file_name: str, folder_name: str) -> None:
    path, folder = Path(file_name), Path(folder_name)
    os.environ["PIXELTABLE_HOME"] = str(folder / "state")
    import cv2
    import pixeltable as pxt
    from peer_pixeltable_colour import plain_colour
    from pixeltable.functions.video import clip, scene_detect_content

    cv2.setNumThreads(1)
    videos = pxt.create_table("videos", {"video": pxt.Video})
    scenes = pxt.create_table("scenes", {"video": pxt.Video, "start_s": pxt.Float, "duration_s": pxt.Float})
    start = cpu_seconds()
    videos.insert([{"video": str(path)}])
    found = videos.select(scenes=scene_detect_content(videos.video)).collect()[0]["scenes"]
    kept = [scene for scene in found if MIN_S <= scene["duration"] <= MAX_S]
    scenes.insert([{"video": str(path), "start_s": s["start_time"], "duration_s": s["duration"]} for s in kept])
    copied = clip(scenes.video, start_time=scenes.start_s, duration=scenes.duration_s, mode="fast")
    scenes.add_computed_column(clip=copied)
    scenes.add_computed_column(colour=plain_colour(scenes.clip))
    count = len(scenes.select(scenes.colour).collect())
    print(json.dumps({"cpu_s": cpu_seconds() - start, "clip_count": count}))
