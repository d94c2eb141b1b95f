"""The stages of the pipeline: one file, one DVC stage, one section of params.yaml. dvc.yaml is their table of contents."""

from screentime import environment

environment.require()
