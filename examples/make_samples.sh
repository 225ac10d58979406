#!/usr/bin/env bash
# Speak the sample sentences anew, into a folder (default: examples/candidates).
#
# Needs flite and ffmpeg: apt-get install flite ffmpeg
set -euo pipefail

out="${1:-$(dirname "${BASH_SOURCE[0]}")/candidates}"
mkdir -p "$out"

speak() { # VOICE NAME TEXT
  flite -voice "$1" -t "$3" -o "$out/$2.wav"
  ffmpeg -v error -y -i "$out/$2.wav" -ac 1 -ar 16000 -sample_fmt s16 "$out/$2.flac"
  rm "$out/$2.wav"
  echo "$out/$2.flac: $3"
}

river="the old man walked slowly down to the river and sat in the sun"
winter="it was a cold winter morning and the children were playing in the snow"
house="she opened the door of the little house and looked out at the garden"

speak slt slt_river "$river"
speak slt slt_winter "$winter"
speak slt slt_house "$house"
speak rms rms_river "$river"
speak rms rms_house "$house"
speak awb awb_winter "$winter"
