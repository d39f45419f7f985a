"""Reads the pictures of metadata back: the charts of a Markdown text, as the XML that a browser wants of an image."""

import base64
import re
from xml.etree import ElementTree

import dagster as dg

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r"!\[((?:[^\\\[\]]|\\.)*)\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)")


class Chart:
    """`size` in px; `alternative` is the text beside the image."""

    def __init__(self, alternative: str, data: bytes) -> None:
        self.alternative = alternative
        self._root = ElementTree.fromstring(data)
        self.size = float(self._root.attrib["width"]), float(self._root.attrib["height"])

    def texts(self) -> list[str]:
        return ["".join(one.itertext()) for one in self._root.iter(f"{SVG}text")]

    def all(self, name: str, *, kind: str | None = None, colour: str | None = None) -> list[dict[str, str]]:
        """Attributes of the elements of a name, of a class, painted in a colour."""
        return [
            dict(one.attrib)
            for one in self._root.iter(f"{SVG}{name}")
            if kind in (None, one.get("class")) and (colour is None or colour in one.get("style", ""))
        ]


def charts(picture: dg.MetadataValue) -> list[Chart]:
    """The charts, which are all that the text holds."""
    text = str(picture.value)
    assert IMAGE.sub("", text).strip() == "", "nothing stands beside the images"
    return [Chart(found[1], base64.b64decode(found[2], validate=True)) for found in IMAGE.finditer(text)]


def chart(picture: dg.MetadataValue) -> Chart:
    (only,) = charts(picture)
    return only
