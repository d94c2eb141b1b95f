"""Screen time: how many seconds each character is visible in a video, and how sure we are.

The library knows nothing of DVC, of MLflow or of a repository's paths. Pure rooms (numpy and pandas, no files):
timeline, splits, select, calibration, estimates, metrics, report. Edges: video (PyAV), frames (packed JPEG),
tables (CSV), labels, audit, backbones and model (Keras), scorer (LiteRT).
"""

__version__ = "0.1.0"
