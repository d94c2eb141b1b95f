"""The working folder of one project: its films, its declarations, its sharing."""
