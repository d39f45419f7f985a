"""What libraries read of a clip file. Run in any environment that has them, our own or `.venv-readers`.

Belongs here: a function a reader, written as its documentation shows it. Does not belong here: what they should read,
anything of ours. `python -m benchmarks.loader_readers NAME` takes asks as JSON on its input and prints a line for each.

An ask names the file, the stamps of its pictures in s, places to look at and times in the middle of pictures. An answer
has what the reader gives of: `pictures` in their order, `count` as announced, what is `at` places and times, where -1
is none, and `sound`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.numbered import HEIGHT, WIDTH, heard, number_in

Ask = dict[str, Any]
Answer = dict[str, Any]
NOT_ROOT = None if os.geteuid() else "nobody"
"""Who runs VLC, which does not for root."""
FFMPEG_LIBRARIES = ("avcodec", "avdevice", "avfilter", "avformat", "avutil", "swresample", "swscale")


def pyav(ask: Ask) -> Answer:
    import av

    with av.open(ask["path"]) as film:
        shown = [(picture.time, number_in(picture.to_ndarray(format="gray"))) for picture in film.decode(video=0)]
    answer: Answer = {"pictures": [number for _, number in shown]}
    with av.open(ask["path"]) as film:
        if film.streams.audio:
            frames = list(film.decode(audio=0))
            rate = frames[0].sample_rate
            samples = np.concatenate([_mono(frame.to_ndarray(), frame) for frame in frames])
            answer["sound"] = _heard(samples, rate, frames[0].time - shown[0][0])
    return answer


def _mono(samples: np.ndarray, frame: Any) -> np.ndarray:
    values = samples.reshape(-1, frame.layout.nb_channels)[:, 0] if frame.format.is_packed else samples[0]
    return values / 32768 if values.dtype == np.int16 else values


def _heard(samples: np.ndarray, rate: int, from_s: float = 0.0) -> tuple[int, float] | None:
    beep = heard(samples, rate)
    return beep and (beep[0], beep[1] + from_s)


def pyav_sought(ask: Ask) -> Answer:
    import av

    found = []
    with av.open(ask["path"]) as film:
        video = film.streams.video[0]
        for time in ask["times"]:
            film.seek(int(time / video.time_base), stream=video)
            last = -1
            for picture in film.decode(video):
                if picture.time > time:
                    break
                last = number_in(picture.to_ndarray(format="gray"))
            found.append(last)
    return {"at_times": found}


def ffmpeg(ask: Ask) -> Answer:
    base = [_ffmpeg_program(), "-v", "error", "-nostdin"]
    raw = ["-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    answer: Answer = {"pictures": _numbers(_output([*base, "-i", ask["path"], *raw]))}
    sound = ["-map", "0:a:0?", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]
    samples = np.frombuffer(subprocess.run([*base, "-i", ask["path"], *sound], capture_output=True).stdout, np.float32)
    return answer | ({"sound": heard(samples, 48_000)} if len(samples) else {})


def ffmpeg_sought(ask: Ask) -> Answer:
    # It gives the first picture at or behind the time.
    raw = ["-map", "0:v:0", "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    found = []
    for place in ask["places"]:
        begin = ["-ss", f"{max(0.0, ask['stamps'][place] - 0.002):.6f}", "-i", ask["path"]]
        found += _numbers(_output([_ffmpeg_program(), "-v", "error", "-nostdin", *begin, *raw]))[:1] or [-1]
    return {"at_places": found}


def _ffmpeg_program() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    return get_ffmpeg_exe()


def _output(command: list[str], **options: Any) -> bytes:
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    return done.stdout


def _numbers(raw: bytes) -> list[int]:
    return [number_in(grey) for grey in np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)]


def opencv(ask: Ask) -> Answer:
    import cv2

    film = cv2.VideoCapture(ask["path"])
    count, found = int(film.get(cv2.CAP_PROP_FRAME_COUNT)), []
    while (answer := film.read())[0]:
        found.append(number_in(answer[1]))
    return {"count": count, "pictures": found}


def opencv_sought(ask: Ask) -> Answer:
    import cv2

    film = cv2.VideoCapture(ask["path"])
    found = []
    for place in ask["places"]:
        film.set(cv2.CAP_PROP_POS_FRAMES, place)
        is_there, picture = film.read()
        found.append(number_in(picture) if is_there else -1)
    return {"at_places": found}


def imageio_ffmpeg(ask: Ask) -> Answer:
    import imageio.v2 as imageio

    with imageio.get_reader(ask["path"], "ffmpeg") as film:
        found = [number_in(picture) for picture in film]
        count = film.count_frames()
        return {"pictures": found, "count": count, "at_places": [_looked(film.get_data, n) for n in ask["places"]]}


def imageio_pyav(ask: Ask) -> Answer:
    import imageio.v3 as imageio

    with imageio.imopen(ask["path"], "r", plugin="pyav") as film:
        found = [number_in(picture) for picture in film.iter()]
        count = film.properties(index=...).n_images
        at_places = [_looked(lambda place: film.read(index=place), place) for place in ask["places"]]
        return {"pictures": found, "count": count, "at_places": at_places}


def _looked(get: Callable[[int], Any], place: int) -> int:
    try:
        return number_in(get(place))
    except (IndexError, StopIteration):
        return -1


def decord(ask: Ask) -> Answer:
    import decord

    film = decord.VideoReader(ask["path"], num_threads=1)
    count = len(film)
    spans = film.get_frame_timestamp(list(range(count)))
    found = [number_in(film[n].asnumpy()) for n in range(count)]
    batch = decord.VideoReader(ask["path"], num_threads=1).get_batch(ask["places"]).asnumpy()
    at_times = [_at(found, [float(begin) for begin, _ in spans], time) for time in ask["times"]]
    answer = {"count": count, "pictures": found, "at_places": [number_in(one) for one in batch], "at_times": at_times}
    if ask["has_sound"]:
        answer["sound"] = _heard(decord.AudioReader(ask["path"], sample_rate=48_000, mono=True)[:].asnumpy()[0], 48_000)
    return answer


def _at(numbers: list[int], begins: list[float], time: float) -> int:
    return numbers[max((n for n, begin in enumerate(begins) if begin <= time), default=0)]


def _torchcodec(ask: Ask, film: Any) -> Answer:
    def look(get: Callable[[Any], Any], at: float) -> int:
        try:
            picture = get(at)
        except (RuntimeError, IndexError):
            return -1
        return number_in(getattr(picture, "data", picture).permute(1, 2, 0).numpy())

    return {
        "count": film.metadata.num_frames,
        "at_times": [look(film.get_frame_played_at, time) for time in ask["times"]],
        "at_places": [look(film.get_frame_at, place) for place in ask["places"]],
        "pictures": [look(film.__getitem__, place) for place in range(len(film))],
    }


def torchcodec_exact(ask: Ask) -> Answer:
    from torchcodec.decoders import AudioDecoder, VideoDecoder

    answer = _torchcodec(ask, VideoDecoder(ask["path"], seek_mode="exact"))
    if ask["has_sound"]:
        sound = AudioDecoder(ask["path"]).get_all_samples()
        answer["sound"] = _heard(sound.data[0].numpy(), sound.sample_rate, sound.pts_seconds)
    return answer


def torchcodec_approximate(ask: Ask) -> Answer:
    from torchcodec.decoders import VideoDecoder

    return _torchcodec(ask, VideoDecoder(ask["path"], seek_mode="approximate"))


def datasets_video(ask: Ask) -> Answer:
    from datasets import Dataset, Video

    return _torchcodec(ask, Dataset.from_dict({"video": [ask["path"]]}).cast_column("video", Video())[0]["video"])


def _transformers(backend: str) -> Callable[[Ask], Answer]:
    def read(ask: Ask) -> Answer:
        from transformers.video_utils import load_video

        def numbers(**options: Any) -> tuple[list[int], Any]:
            pictures, facts = load_video(ask["path"], backend=backend, **options)
            pictures = np.asarray(pictures)
            if pictures.shape[-1] != 3:
                pictures = pictures.transpose(0, 2, 3, 1)
            return [number_in(picture) for picture in pictures], facts

        found, facts = numbers()
        return {"pictures": found, "count": int(facts.total_num_frames), "eighths": numbers(num_frames=8)[0]}

    return read


def mpv(ask: Ask) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-config", "--really-quiet", "--vo=image", "--vo-image-format=png", "--ao=null", "--untimed"]
        _output(["mpv", *options, "--ao-null-untimed", f"--vo-image-outdir={folder}", ask["path"]])
        return {"pictures": _numbers_of_images(Path(folder))}


def vlc(ask: Ask) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        # Whoever it runs as has to be able to read the clip and write here.
        Path(folder).chmod(0o777)
        clip = shutil.copy(ask["path"], folder)
        options = ["-I", "dummy", "--no-audio", "--video-filter=scene", "--vout=dummy", "--scene-format=png"]
        options += ["--scene-ratio=1", f"--scene-path={folder}", "--play-and-exit", clip]
        _output(["vlc", *options], user=NOT_ROOT, env=os.environ | {"HOME": folder})
        return {"shown": _numbers_of_images(Path(folder))}


def _numbers_of_images(folder: Path) -> list[int]:
    from PIL import Image

    return [number_in(np.asarray(Image.open(path).convert("L"))) for path in sorted(folder.glob("*.png"))]


def gstreamer(ask: Ask) -> Answer:
    with tempfile.NamedTemporaryFile() as raw:
        grey = f"video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT}"
        command = ["gst-launch-1.0", "-q", "uridecodebin", f"uri={Path(ask['path']).as_uri()}", "caps=video/x-raw"]
        _output([*command, "!", "videoconvert", "!", grey, "!", "filesink", f"location={raw.name}"])
        return {"pictures": _numbers(Path(raw.name).read_bytes())}


READERS: dict[str, tuple[tuple[str, ...], Callable[[Ask], Answer]]] = {
    "PyAV": (("av",), pyav),
    "PyAV, sought": (("av",), pyav_sought),
    "FFmpeg": (("imageio_ffmpeg",), ffmpeg),
    "FFmpeg, sought": (("imageio_ffmpeg",), ffmpeg_sought),
    "OpenCV": (("cv2",), opencv),
    "OpenCV, sought": (("cv2",), opencv_sought),
    "imageio, FFmpeg": (("imageio", "imageio_ffmpeg"), imageio_ffmpeg),
    "imageio, PyAV": (("imageio", "av"), imageio_pyav),
    "decord": (("decord",), decord),
    "torchcodec, exact": (("torchcodec",), torchcodec_exact),
    "torchcodec, approximate": (("torchcodec",), torchcodec_approximate),
    "datasets Video": (("datasets", "torchcodec"), datasets_video),
    "transformers, PyAV": (("transformers", "av"), _transformers("pyav")),
    "transformers, OpenCV": (("transformers", "cv2"), _transformers("opencv")),
    "transformers, decord": (("transformers", "decord"), _transformers("decord")),
    "transformers, torchcodec": (("transformers", "torchcodec"), _transformers("torchcodec")),
    "mpv": (("mpv",), mpv),
    "VLC": (("vlc",), vlc),
    "GStreamer": (("gst-launch-1.0",), gstreamer),
}
"""By name: the packages or programs that it takes, and the function."""
PROGRAMS = frozenset({"mpv", "vlc", "gst-launch-1.0"})


def with_libraries(python: Path, folder: Path) -> dict[str, str]:
    """The environment for torchcodec, whose wheel brings no FFmpeg: PyAV's libraries under the names it asks for."""
    code = "import av, pathlib; print(pathlib.Path(av.__file__).parents[1] / 'av.libs')"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    folder.mkdir(exist_ok=True)
    for library in Path(done.stdout.strip()).iterdir():
        name, _, version = library.name.partition(".so.")
        plain = name.split("-")[0]
        # Linked by both names, or the loader takes one file for two libraries.
        names = {library.name}
        if plain.removeprefix("lib") in FFMPEG_LIBRARIES:
            names.add(f"{plain}.so.{version.split('.')[0]}")
        for link in names:
            if not (folder / link).exists():
                (folder / link).symlink_to(library)
    return os.environ | {"LD_LIBRARY_PATH": str(folder), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def main(name: str) -> None:
    _, read = READERS[name]
    answers = os.fdopen(os.dup(1), "w")
    # What libraries print must not stand between the answers.
    os.dup2(2, 1)
    for ask in json.load(sys.stdin):
        try:
            answer = read(ask)
        except Exception as error:  # noqa: BLE001
            # decord tells the hour, its line and the contents of its memory first.
            message = re.sub(r"\[[\d:]+\] .*(?=ERROR)", "", f"{type(error).__name__}: {error}".splitlines()[0])
            answer = {"error": message[:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
