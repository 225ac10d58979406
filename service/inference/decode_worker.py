"""A process of `service.inference.decode_pool`: decodes posteriors, one recording after another.

It speaks pickle with the server that started it, which sends a `Decoder` and then orders to its
standard input, and gets an answer to each order from its standard output.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any, BinaryIO, NoReturn

from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.posteriors import Posteriors

Order = tuple[Posteriors, DecodingOptions]
Answer = DecodeResult | OtoscopeError | str
"""What was said, an error of the domain, or the traceback of one that nobody expected."""


def main() -> None:
    """Answer until the server goes.

    Signals for all its processes, or from its terminal, leave it to the server when to end: it may
    wait for this answer before it does.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    server = sys.stdin.buffer
    decoder: Decoder = _load(server)
    orders: SimpleQueue[Order] = SimpleQueue()
    threading.Thread(target=_receive, args=(server, orders), daemon=True).start()
    while True:
        answer = _answer(decoder, *orders.get())
        try:
            pickle.dump(answer, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            _end()


def _receive(server: BinaryIO, orders: "SimpleQueue[Order]") -> None:
    """Pass on what comes, and notice during a search that the server has gone."""
    while True:
        orders.put(_load(server))


def _load(server: BinaryIO) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return pickle.load(server)  # noqa: S301 - the server's, which started this process
    except (EOFError, pickle.UnpicklingError):  # it has gone, perhaps while it was sending
        _end()


def _answer(decoder: Decoder, posteriors: Posteriors, options: DecodingOptions) -> Answer:
    try:
        return decoder.decode(posteriors, options)
    except OtoscopeError as error:
        return error
    except Exception:  # noqa: BLE001 - the server raises it where somebody waits
        return traceback.format_exc()


def _end() -> NoReturn:
    os._exit(0)


if __name__ == "__main__":
    main()
