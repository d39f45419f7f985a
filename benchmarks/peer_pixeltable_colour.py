"""The user function of the Pixeltable pipeline, in a module of its own because Pixeltable asks for one."""

import av
import cv2
import pixeltable as pxt

STRIDE = 20


@pxt.udf
def plain_colour(clip: pxt.Video) -> float:
    """Mean of 8-bit HSV over every 20th frame; a thumbnail of the first is written beside the clip."""
    values = []
    with av.open(clip) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % STRIDE == 0:
                pixels = frame.to_ndarray(format="rgb24")
                values.append(float(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).mean()))
                if index == 0:
                    small = cv2.resize(pixels, (320, round(320 * pixels.shape[0] / pixels.shape[1])))
                    cv2.imwrite(f"{clip}.jpg", small)
    return sum(values) / len(values)
