"""Appearances for editors and players: who is on screen when, on the clock of the film's own file.

Each format is a room: what it gives is the text of a file, made from a `Listing` (screentime.editors.listing).
"""
