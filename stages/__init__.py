"""The stages of the pipeline: one file, one DVC stage, one section of params.yaml. dvc.yaml is their table of contents."""

from screentime import command, environment

command.interruption_is_a_sentence()
environment.require()
