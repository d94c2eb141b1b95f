"""The commands of `python -m screentime`: a module for each family, with its words, its help and what it prints.

Each module has `add(commands)`, which adds its parsers; screentime/__main__.py lists them. Work is done by the library;
here it is only asked for and told.
"""
