"""A live eye on a camera, a stream or a film: the newest frame judged, events kept, people told."""
