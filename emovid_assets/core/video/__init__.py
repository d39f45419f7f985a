"""Reading and writing video: probing, decoding, cuts, measurements, clip files.

Belongs here: everything that opens a media file. PyAV, OpenCV, Pillow and PySceneDetect are imported
inside functions, so that a worker process pays only for what it uses.
Does not belong here: which files there are, what was computed before, where tables lie.
"""
