"""otoscope.audio.decode_processes: no file can hurt the process that asks."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from audio_files import encode
from muxed import mp3
from signals import RATE_HZ, noise, tone

from otoscope.audio import AudioStream, DecodeProcesses, decode, decode_processes, load
from otoscope.audio.decode_messages import part_of
from otoscope.audio.decoder_ends import GarbledError
from otoscope.audio.parts import Block, Opened
from otoscope.errors import AudioError, DecoderLostError, DecodersBusyError, UnreadableAudioError
from otoscope.processes import ModuleProcess

FAILURES = sorted((Path(__file__).parent / "failures").iterdir())


def decoded(processes, data):
    return list(processes.decode(io.BytesIO(data)))


def children():
    """Ids of this process' children that run a decoder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and "decode_process" in command:
            found.add(int(entry.name))
    return found


def signal_all(number):
    """Send a signal to each of them; their ids."""
    found = children()
    for child in found:
        os.kill(child, number)
    return found


@pytest.mark.parametrize("path", FAILURES, ids=[path.name for path in FAILURES])
def test_files_that_once_killed_or_failed_are_read_or_refused(path, processes):
    """Each once ended the process, or was an unexpected error. The next file is read as ever."""
    with suppress(AudioError):
        samples = sum(block.size for block in AudioStream(path, RATE_HZ, processes=processes))
        assert samples > 100
    good = load(encode(tone(440, 1.0), RATE_HZ, "m4a"), RATE_HZ)
    assert good.duration_s == pytest.approx(1.0, abs=0.05)


def test_one_process_serves_one_file_after_another(processes):
    data = encode(noise(1.0), RATE_HZ, "m4a")
    first = decoded(processes, data)
    before = children()
    second = decoded(processes, data)
    assert children() == before
    assert isinstance(first[0], Opened)
    assert first[0] == second[0]
    for one, other in zip(first[1:], second[1:], strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_process_that_dies_is_that_files_problem_and_is_replaced(processes, number):
    data = encode(noise(20.0), RATE_HZ, "m4a")
    processes.start()
    parts = processes.decode(io.BytesIO(data))
    assert isinstance(next(parts), Opened)
    other = processes.decode(io.BytesIO(data))
    next(other)
    ended = signal_all(number)
    for broken in (parts, other):
        with pytest.raises(UnreadableAudioError, match=rf"broke down \({number.name}\)"):
            list(broken)
    assert len(decoded(processes, data)) > 10
    assert not children() & ended


def as_samples(parts):
    return np.concatenate([part.samples for part in parts if isinstance(part, Block)])


@pytest.mark.parametrize(
    ("number", "given"),
    [(signal.SIGKILL, 0), (signal.SIGKILL, 1), (signal.SIGKILL, 5), (signal.SIGUSR1, 5)],
)
def test_a_process_that_another_ends_is_not_the_files_problem(processes, number, given):
    """As the system does that runs out of memory, and somebody who ends what looks idle."""
    data = encode(noise(40.0), RATE_HZ, "m4a")
    whole = as_samples(decoded(processes, data))
    parts = processes.decode(io.BytesIO(data))
    had = list(islice(parts, given))
    ended = signal_all(number)
    np.testing.assert_array_equal(as_samples([*had, *parts]), whole)
    assert not children() & ended


def test_a_file_whose_processes_are_all_ended_is_to_be_sent_again(processes):
    data = encode(noise(1.0), RATE_HZ, "m4a")
    with pytest.raises(DecoderLostError, match=r"another (was ended|did not start) \(SIGKILL\)"):
        list(processes.decode(io.BytesIO(data), lambda: signal_all(signal.SIGKILL)))


def test_a_process_that_cannot_be_started_is_not_the_files_problem(processes, monkeypatch):
    data = encode(noise(1.0), RATE_HZ, "m4a")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(DecoderLostError, match="No such file"):
        decoded(processes, data)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(DecoderLostError, match=r"did not start \(exit code 1\)"):
        decoded(processes, data)


def test_a_process_that_keeps_still_is_replaced(processes, monkeypatch):
    data = encode(noise(40.0), RATE_HZ, "m4a")
    whole = as_samples(decoded(processes, data))
    monkeypatch.setattr(decode_processes, "SILENT_S", 2.0)
    parts = processes.decode(io.BytesIO(data))
    next(parts)
    stopped = signal_all(signal.SIGSTOP)
    np.testing.assert_array_equal(as_samples(parts), whole)
    assert not children() & stopped


def test_a_file_at_which_processes_keep_still_is_refused(processes, monkeypatch):
    def set_ready(process, ready):
        vars(process)["begun"] = ready
        if ready:
            os.kill(process._process.pid, signal.SIGSTOP)

    ready = property(lambda process: vars(process)["begun"], set_ready)
    monkeypatch.setattr(decode_processes.DecodeProcess, "ready", ready, raising=False)
    monkeypatch.setattr(decode_processes, "SILENT_S", 0.3)
    data = encode(noise(1.0), RATE_HZ, "m4a")
    with pytest.raises(UnreadableAudioError, match=r"it kept still for 0\.3 s, twice"):
        list(processes.decode(io.BytesIO(data)))


def test_what_the_caller_checks_ends_the_decoding(processes):
    class LeftError(Exception):
        pass

    data, left = encode(noise(60.0), RATE_HZ, "m4a"), threading.Event()

    def check():
        if left.is_set():
            raise LeftError

    parts = processes.decode(io.BytesIO(data), check)
    next(parts)
    before = children()
    left.set()
    with pytest.raises(LeftError):
        list(parts)
    assert not children() & before


def test_a_file_that_is_left_early_costs_the_next_one_nothing(processes):
    data = encode(noise(60.0), RATE_HZ, "m4a")
    parts = processes.decode(io.BytesIO(data))
    assert len(list(islice(parts, 3))) == 3
    parts.close()
    assert len(decoded(processes, encode(noise(1.0), RATE_HZ, "m4a"))) > 2


def test_more_files_than_processes_are_told_so(monkeypatch):
    monkeypatch.setattr(decode_processes, "WAIT_S", 0.3)
    data = encode(noise(20.0), RATE_HZ, "m4a")
    with closing(DecodeProcesses(most=1)) as processes:
        first = processes.decode(io.BytesIO(data))
        next(first)
        with pytest.raises(DecodersBusyError, match=r"fewer than 1 files .* \(mp3, m4a"):
            decoded(processes, data)
        assert len(list(first)) > 10
        assert len(decoded(processes, data)) > 10


def test_while_it_decodes_a_process_can_open_nothing_and_has_limits(processes):
    parts = processes.decode(io.BytesIO(encode(noise(60.0), RATE_HZ, "m4a")))
    next(parts)
    [child] = children()
    descriptors = sorted(int(each.name) for each in Path(f"/proc/{child}/fd").iterdir())
    limits = Path(f"/proc/{child}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
    assert descriptors == [0, 1, 2, 3, 4]
    assert rows["Max open files"] == ["5", "5"]
    assert rows["Max file size"] == ["0", "0"]
    assert rows["Max core file size"] == ["0", "0"]
    assert int(rows["Max address space"][0]) < 2**31
    assert int(rows["Max cpu time"][0]) < 100
    parts.close()


def test_what_takes_too_much_processor_time_is_refused(processes):
    parts = processes.decode(io.BytesIO(encode(noise(200.0), RATE_HZ, "m4a")))
    next(parts)
    signal_all(signal.SIGXCPU)  # what the kernel sends then
    with pytest.raises(UnreadableAudioError, match="took more than 60 s of processor time"):
        list(parts)


@pytest.mark.slow
def test_a_long_recording_gets_more_processor_time(processes, tmp_path, monkeypatch):
    """With a second for each half minute, in the place of a minute for each half hour."""
    (tmp_path / "in_short.py").write_text(
        "from otoscope.audio import decode_process\n"
        "decode_process.CPU_S, decode_process.ALLOWED_S = 1, 30.0\n"
        "decode_process.main()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    start = ModuleProcess.__init__
    monkeypatch.setattr(ModuleProcess, "__init__", lambda self, _: start(self, "in_short"))
    stereo = noise(60.0).reshape(-1, 2)  # 10 s
    samples = as_samples(decoded(processes, 96 * mp3(stereo, 48000, "0")))
    assert samples.size == pytest.approx(960 * 48000, rel=0.02)


def test_no_process_outlives_a_killed_parent():
    code = (
        "import io, sys, time\n"
        "from otoscope.audio import DecodeProcesses\n"
        "processes = DecodeProcesses(1)\n"
        "processes.start()\n"
        "print(processes._idle[0]._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    end_s = time.monotonic() + 20
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_text():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_blocks_arrive_before_the_file_is_decoded_whole(processes):
    parts = processes.decode(io.BytesIO(encode(noise(60.0), RATE_HZ, "m4a")))
    next(parts)
    block = next(parts)
    assert isinstance(block, Block)
    assert 0 < block.samples.size < 48000
    parts.close()


def test_this_process_never_loads_ffmpeg():
    data = encode(tone(440, 0.5), RATE_HZ, "m4a")
    code = (
        "import sys\nfrom otoscope.audio import load\n"
        "assert load(sys.stdin.buffer.read(), 16000).duration_s > 0.4\n"
        "assert 'av' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], input=data, check=True)


@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)])
def test_no_mp3_comes_near_the_decoder_in_this_process(tag, monkeypatch):
    """libsndfile's wheel holds mpg123 1.32.3, which CVE-2024-10573 is about."""
    data = tag + encode(tone(440, 1.0), RATE_HZ, "mp3")

    def fail(*_):
        raise AssertionError("expected another process")

    monkeypatch.setattr(decode, "open_sound", fail)
    assert load(data, RATE_HZ).duration_s == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000], ids=range(4))
def test_a_message_that_is_none_is_garbled(text):
    with pytest.raises(GarbledError):
        part_of(text, b"")
