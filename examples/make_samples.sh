#!/usr/bin/env bash
# Make recordings of the sample sentences in a folder (default: examples/candidates).
#
# Needs flite and ffmpeg: apt-get install flite ffmpeg
set -euo pipefail

out="${1:-$(dirname "${BASH_SOURCE[0]}")/candidates}"
mkdir -p "$out"

speak() { # VOICE NAME TEXT
  flite -voice "$1" -t "$3" -o "$out/$2.wav"
  ffmpeg -nostdin -v error -y -i "$out/$2.wav" -ac 1 -ar 16000 -sample_fmt s16 "$out/$2.flac"
  rm "$out/$2.wav"
  echo "$out/$2.flac: $3"
}

father="it was a long time before he came home to his father"
river="the old man walked slowly down to the river and sat in the sun"
garden="in the morning they went into the garden"

speak rms rms_father "$father" # examples/sample.flac
speak slt slt_father "$father"
speak slt slt_river "$river"
speak rms rms_river "$river"
speak slt slt_garden "$garden"
