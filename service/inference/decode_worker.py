"""What a decode worker runs: it decodes posteriors, one recording after another.

It speaks pickle with `service.inference.decode_workers` in the server, which sends a `Decoder` and
then jobs to its standard input, and reads an outcome for each job from its standard output.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any

from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.posteriors import Posteriors

Job = tuple[Posteriors, DecodingOptions]
Outcome = DecodeResult | OtoscopeError | str
"""What was decoded, an error of the domain, or the traceback of an unexpected one."""


def main() -> None:
    """Decode until the server goes.

    Signals that go to all its processes are ignored, for the server decides when to end: it may
    wait for this outcome before it does.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    received: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_receive, args=(received,), daemon=True).start()
    decoder: Decoder = received.get()
    while True:
        posteriors, options = received.get()
        outcome: Outcome
        try:
            outcome = decoder.decode(posteriors, options)
        except OtoscopeError as error:
            outcome = error
        except Exception:  # noqa: BLE001 - the server raises it where a request waits
            outcome = traceback.format_exc()
        try:
            pickle.dump(outcome, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the server has gone
            os._exit(0)


def _receive(received: "SimpleQueue[Any]") -> None:
    """Pass on what the server sends; when it has gone, end this process, even during a search."""
    try:
        while True:
            received.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - from our own server
    except (EOFError, pickle.UnpicklingError):  # it may have gone while it was sending
        os._exit(0)
    except Exception:  # noqa: BLE001 - nothing else would end this process
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
