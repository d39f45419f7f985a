"""A 720p film with grain: the kind of file whose decoding is dear and that the corpus lacks.

A film of the corpus, enlarged to 1280x720, with film-like noise from a fixed seed, as H.264 with the film's
own sound. The same seed and encoder give the same file.
"""

from fractions import Fraction
from pathlib import Path

import av
from av.filter import Graph

SOURCE = "movie/sintel_film_excerpt_848x480_25fps.mp4"
NOISE = "scale=1280:720:flags=bicubic,noise=alls=8:allf=t:all_seed=1,format=yuv420p"


def write_noisy_film(source: Path, target: Path) -> Path:
    """Writes the film to `target` (about 20 CPU-seconds)."""
    with av.open(str(source)) as film, av.open(str(target), "w") as output:
        picture = film.streams.video[0]
        sound = film.streams.audio[0]
        graph = Graph()
        chain = [graph.add_buffer(template=picture)]
        for part in NOISE.split(","):
            name, _, arguments = part.partition("=")
            chain.append(graph.add(name, arguments))
        chain.append(graph.add("buffersink"))
        graph.link_nodes(*chain).configure()

        stream = output.add_stream("libx264", rate=Fraction(picture.average_rate))
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.time_base = picture.time_base
        stream.options = {"crf": "23", "preset": "veryfast", "threads": "2"}
        copied = output.add_stream_from_template(sound)
        for packet in film.demux(picture, sound):
            if packet.stream is sound:
                if packet.dts is not None:
                    packet.stream = copied
                    output.mux(packet)
                continue
            for frame in packet.decode():
                graph.vpush(frame)
                noisy = graph.vpull()
                noisy.pict_type = 0
                output.mux(stream.encode(noisy))
        output.mux(stream.encode(None))
    return target
