"""Audio at a model's rate: the only decoder and the only resampler."""

from otoscope.audio.decode_processes import DecodeProcesses
from otoscope.audio.mixing import check_separable
from otoscope.audio.parts import AUDIO_KINDS, AUDIO_SUFFIXES, THE_USUAL, Choice, Samples, Source
from otoscope.audio.pcm import PCM_ENCODINGS, PcmEncoding, PcmStream
from otoscope.audio.probe import count_tracks
from otoscope.audio.stream import (
    DEFAULT_MAX_DURATION_S,
    AudioStream,
    Waveform,
    check_finite,
    joined,
    load,
    resample,
)
from otoscope.audio.stream_decoder import CONTAINER_NAMES, ContainerName, StreamDecoder

__all__ = [
    "AUDIO_KINDS",
    "AUDIO_SUFFIXES",
    "CONTAINER_NAMES",
    "DEFAULT_MAX_DURATION_S",
    "PCM_ENCODINGS",
    "THE_USUAL",
    "AudioStream",
    "Choice",
    "ContainerName",
    "DecodeProcesses",
    "PcmEncoding",
    "PcmStream",
    "Samples",
    "Source",
    "StreamDecoder",
    "Waveform",
    "check_finite",
    "check_separable",
    "count_tracks",
    "joined",
    "load",
    "resample",
]
