"""Screen time: how many seconds each character is visible in a video, and how sure we are.

The library knows nothing of DVC, of MLflow or of a repository's paths. Pure rooms (numpy and pandas, no files):
timeline, splits, select, calibration, estimates, metrics, report. Edges: video (PyAV), frames (packed JPEG),
tables (CSV), labels, audit, backbones and model (Keras), scorer (LiteRT).

In a notebook: `screentime.show("film.mp4", 12.0, 15.5)`.
"""

from importlib import import_module

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`show`, of the module notebook, when it is asked for: importing the package brings nothing along, and no stage depends on it."""
    if name == "show":
        return import_module("screentime.notebook").show
    raise AttributeError(f"module 'screentime' has no attribute '{name}'")
