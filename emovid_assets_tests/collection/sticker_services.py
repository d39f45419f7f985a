"""KLIPY (Tenor v2) and GIPHY on this machine: searches with pages, and the files that they lead to."""

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

from emovid_assets_tests.collection.servers import Loopback, Request

KEY = "klipy-key-0123456789abcdef"
GIPHY_KEY = "giphy-key-fedcba9876543210"


def sticker(seed: str, *, side: int = 96, quality: int | None = None) -> bytes:
    """An animated GIF whose shapes follow from the seed; `side` scales it, `quality` is a number of colours."""
    numbers = hashlib.sha256(seed.encode()).digest()
    pictures = []
    for step in range(4):
        picture = Image.new("RGB", (192, 192), tuple(128 + value // 2 for value in numbers[:3]))
        draw = ImageDraw.Draw(picture)
        for index in range(6):
            x, y, size, *colour = numbers[3 + index * 4 : 9 + index * 4]
            place = (x * 3 // 4 - 20 + step * 6, y * 3 // 4 - 20)
            corner = (place[0] + 24 + size // 4, place[1] + 24 + (size % 40))
            shape = draw.ellipse if index % 2 else draw.rectangle
            shape((*place, *corner), fill=tuple((value * (index + 1)) % 256 for value in (*colour, x)))
        pictures.append(picture.resize((side, side), Image.Resampling.LANCZOS))
    if quality:
        pictures = [one.convert("P", palette=Image.Palette.ADAPTIVE, colors=quality).convert("RGB") for one in pictures]
    data = io.BytesIO()
    pictures[0].save(data, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0)
    return data.getvalue()


@dataclass
class Services:
    """One server for both services and their files. `words`: ids by word; `files`: bytes by id."""

    words: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    everything: list[str] = field(default_factory=list)
    search_headers: dict[str, str] = field(default_factory=dict)
    page_size: int = 50
    host: str = ""

    def bind(self, server: Loopback) -> None:
        self.host = server.url

    def __call__(self, request: Request) -> None:
        if request.route == "/v2/search":
            return self.tenor(request)
        if request.route == "/v1/stickers/search":
            return self.giphy(request)
        return self.file(request)

    def ids(self, word: str) -> list[str]:
        return self.everything or self.words.get(word, [])

    def tenor(self, request: Request) -> None:
        if request.query.get("key") != KEY:
            return request.answer(401, f'{{"error": "bad key {request.query.get("key")}"}}'.encode())
        ids, start = self.ids(request.query["q"]), int(request.query.get("pos", "0"))
        size = min(int(request.query["limit"]), self.page_size)
        results = [self.tenor_item(one) for one in ids[start : start + size]]
        following = str(start + size) if start + size < len(ids) else ""
        return request.answer_json({"results": results, "next": following}, self.search_headers)

    def tenor_item(self, external_id: str) -> dict[str, Any]:
        return {
            "id": external_id,
            "title": "",
            "content_description": f"Sticker {external_id}",
            "itemurl": f"https://klipy.example/{external_id}",
            "user": {"username": f"artist-{external_id}"},
            "media_formats": {
                "mp4": {"url": f"{self.host}/media/{external_id}.mp4", "dims": [96, 96], "size": 10},
                "gif": {"url": f"{self.host}/media/{external_id}.gif", "dims": [96, 96], "size": 1000},
            },
        }

    def giphy(self, request: Request) -> None:
        if request.query.get("api_key") != GIPHY_KEY:
            return request.answer(403, b'{"meta": {"msg": "Forbidden"}}')
        ids, start = self.ids(request.query["q"]), int(request.query["offset"])
        data = [
            {
                "id": one,
                "title": f"Sticker {one}",
                "username": "",
                "url": f"https://giphy.example/{one}",
                "images": {"original": {"url": f"{self.host}/media/{one}.gif", "size": "1000"}},
            }
            for one in ids[start : start + int(request.query["limit"])]
        ]
        pagination = {"total_count": len(ids), "count": len(data), "offset": start}
        return request.answer_json({"data": data, "pagination": pagination, "meta": {"status": 200}})

    def file(self, request: Request) -> None:
        external_id = request.route.removeprefix("/media/").rpartition(".")[0]
        body = self.files.get(external_id)
        if body is None:
            return request.answer(404, b"gone")
        return request.answer(200, body, {"Content-Type": "image/gif"})
