"""What stands in for a network in the process beside the labeller; a module of its own, as that process imports it."""

import os
import signal
import time

import numpy as np


class Echo:
    """A learner that says its process, or what it is told to do."""

    def __init__(self):
        self.prepared = []

    def prepare(self, ahead):
        if ahead.video_id.startswith("until "):
            end = time.monotonic() + 60
            while not os.path.exists(ahead.video_id[6:]) and time.monotonic() < end:
                time.sleep(0.01)
        self.prepared.append(ahead.video_id)
        if ahead.video_id == "refuse":
            raise OSError("no such file")

    def learn(self, lesson):
        if lesson == "prepared":
            return self.prepared
        if len(lesson) > 1000:
            return len(lesson)
        if lesson == "refuse":
            raise OSError("no such file")
        if lesson == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if lesson == "sleep":
            time.sleep(600)
        return np.array([os.getpid()])
