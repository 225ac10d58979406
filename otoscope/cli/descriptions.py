"""What --help says about the commands."""

_CODES = """\
exit codes:
  0    everything is done (also if the reader of the output stops reading)
  1    some files failed, each with a line on standard error; the others are done
  2    nothing could be started: wrong arguments, no model, no server
  130  interrupted
"""

EPILOG = f"""\
examples:
  otoscope transcribe speech.flac
  otoscope transcribe --format srt --out film.srt film.m4a
  otoscope transcribe --out-dir texts --format json *.wav
  otoscope align --text "it was a long time" --format textgrid speech.flac
  otoscope probs --out speech.png speech.flac
  otoscope listen
  otoscope info speech.flac
  otoscope transcribe --server http://127.0.0.1:8000 speech.flac

`otoscope COMMAND --help` says more about each command.

{_CODES}"""

TRANSCRIBE = f"""\
Transcribe recordings. They may be hours long.

With several files, text is written as "FILE: text" and json as one document per line, each with the
name of its file; the other formats then need --out-dir. In a folder all recordings are transcribed,
on all CPUs, each into a file beside it or into the same subfolder of --out-dir. A run that ended
early continues with --resume.

examples:
  otoscope transcribe speech.flac
  otoscope transcribe interviews --format srt                # interviews/one.srt, beside one.mp3
  otoscope transcribe interviews --out-dir texts --resume
  otoscope transcribe interviews/*.mp3 --out-dir texts       # texts/one.txt, texts/two.txt, ...
  otoscope transcribe lecture.m4a --out lecture.srt          # the suffix selects the format
  otoscope transcribe --style verbatim speech.flac           # no capitals, no punctuation
  otoscope transcribe --decoder greedy speech.flac           # no language model
  otoscope transcribe --hotwords "otoscope:8, new york" speech.flac
  otoscope transcribe --phrases "yes, no, stop" --format json answer.wav | jq .phrases
  otoscope transcribe --n-best 5 --format json speech.flac | jq .hypotheses
  otoscope transcribe --channels separate --format json call.wav | jq .channels[].text
  otoscope transcribe --track all --format json film.mkv | jq .tracks[].text
  ffmpeg -i film.mkv -f wav - | otoscope transcribe -

{_CODES}"""

BULK = """\
Transcribe an archive, on all CPUs of this machine or of a running Ray cluster. DEST gets a table
in Parquet, one row per recording: text, words with times and confidences, the model's hash, and
warnings, or the error of a file. The same command again does what is missing: after it was
interrupted, or when recordings were added. Needs pip install 'otoscope[bulk]'.

examples:
  otoscope bulk archive --out texts
  otoscope bulk s3://bucket/archive --out s3://bucket/texts --address auto
  otoscope bulk 'archive/2024-*/*.mp3' --out texts --also srt --posteriors
  otoscope bulk recordings.jsonl --out texts --workers 8

exit codes:
  0    every recording is a row
  1    some are not, or are rows with a problem
  2    nothing could be started: wrong arguments, no recordings, no model, no cluster
  130  interrupted
"""

LISTEN = """\
Write what is said while it is said, into a microphone or as bare samples (16 bits, little-endian,
one channel) from a program. On a terminal words that may still change are grey; elsewhere each
utterance is a line. Ctrl-C ends: the last words are still written, and the exit code is 0.

examples:
  otoscope listen
  otoscope listen --hotwords "otoscope:8, new york" > notes.txt
  otoscope listen --json | jq --unbuffered -r 'select(.type == "final").text'
  otoscope listen --server http://127.0.0.1:8000
  ffmpeg -i film.mkv -ac 1 -ar 16000 -f s16le - | otoscope listen -

exit codes:
  0    the audio has ended, or Ctrl-C ended it (also if the reader of the output stops reading)
  1    the service ended the stream before the audio ended
  2    wrong arguments, no model, no server, no microphone
  130  interrupted a second time
"""

ALIGN = f"""\
Find a known text in a recording: the frames of each character, and times and goodness of
pronunciation of each word. Without --text and --text-file, the text of speech.wav is read from
speech.txt beside it.

examples:
  otoscope align --text "it was a long time before he came home to his father" speech.flac
  otoscope align --text-file words.txt --out speech.TextGrid speech.flac
  otoscope align --format png --out-dir pictures corpus/*.wav

{_CODES}"""

PROBS = f"""\
Write P(symbol | frame), the model's posterior probabilities: one row per frame, one column per
symbol.

examples:
  otoscope probs speech.flac | head
  otoscope probs --out speech.npy speech.flac                # numpy.load reads it
  otoscope probs --out speech.png --from-s 1 --to-s 4 speech.flac
  otoscope probs --unit phoneme --format json speech.flac | jq .symbols

{_CODES}"""

INFO = f"""\
Show a model, or properties of audio files: container, coding, rate, channels, duration. If files
are given, the model is shown only if --model or --server is given, too.

examples:
  otoscope info
  otoscope info --format json --model models/english/model.int8.onnx | jq .model.spec.alphabet
  otoscope info *.m4a

{_CODES}"""
