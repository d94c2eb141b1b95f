"""The one exception that a person at the labeller may see."""


class Refused(Exception):
    """Something that cannot be done as asked; its text says why, to the person at the labeller."""
