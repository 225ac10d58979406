"""Small audio files of many kinds, whole ones, for what is done to them afterwards."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from audio_files import FORMATS, encode

RATE_HZ = 16000
WITH_FFMPEG = {
    "mov": ("-ac", "2", "-c:a", "pcm_s16le"),
    "7.mov": ("-ac", "7", "-c:a", "pcm_s16le"),
    "8.m4a": ("-ac", "8", "-c:a", "aac"),
    "mkv": ("-c:a", "flac"),
    "opus.mkv": ("-c:a", "libopus"),
    "vorbis.webm": ("-c:a", "libvorbis"),
    "avi": ("-c:a", "mp2"),
    "ts": ("-c:a", "aac"),
    "mp3.ts": ("-c:a", "mp2"),
    "caf": ("-c:a", "alac"),
    "alac.m4a": ("-c:a", "alac"),
    "aiff": (),
    "au": (),
    "w64": (),
    "ac3": ("-c:a", "ac3"),
    "wma": ("-c:a", "wmav2"),
    "flv": ("-ar", "22050", "-c:a", "aac"),
    "adpcm.wav": ("-c:a", "adpcm_ms"),
    "24.flac": ("-sample_fmt", "s32"),
    "oga": ("-c:a", "flac"),
}
"""What FFmpeg's program is asked for, by the ending of the file."""


def speech() -> np.ndarray:
    """A second that is no silence, (samples,) float32: of a voice where espeak-ng is there."""
    if shutil.which("espeak-ng"):
        said = subprocess.run(
            ["espeak-ng", "--stdout", "it was a long time"], capture_output=True, check=True
        ).stdout
        return np.frombuffer(said[44:], "<i2")[:RATE_HZ].astype(np.float32) / 2**15
    time_s = np.arange(RATE_HZ) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 220 * time_s) * np.sin(2 * np.pi * 3 * time_s)).astype("f4")


def seeds() -> dict[str, bytes]:
    """Files by name."""
    samples = speech()
    files = {name: encode(samples, RATE_HZ, name) for name in FORMATS}
    if shutil.which("ffmpeg"):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "source.wav"
            source.write_bytes(files["wav"])
            for ending, options in WITH_FFMPEG.items():
                path = Path(folder) / f"seed.{ending}"
                command = ["ffmpeg", "-loglevel", "quiet", "-y", "-i", source, *options, path]
                if subprocess.run(command, check=False).returncode == 0:
                    files[ending] = path.read_bytes()
    return files
