"""What a decode worker runs: it decodes or aligns posteriors, one recording after another.

`service.inference.decode_workers` in the server sends it a `Decoder` and then jobs, and gets an
outcome for each.
"""

import traceback
from collections.abc import Callable

from otoscope.alignment import AlignedText, align
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OtoscopeError
from otoscope.job_processes import JobParent
from otoscope.posteriors import Posteriors

Job = tuple[Posteriors, DecodingOptions | str]
"""What to decode and how, or the text to align with it."""

Outcome = DecodeResult | AlignedText | OtoscopeError | str
"""What came of a job, an error of the domain, or the traceback of an unexpected one."""


def way_of(decoder: Decoder, job: Job) -> Callable[..., DecodeResult | AlignedText]:
    """What does a job, to be called with its two parts."""
    return align if isinstance(job[1], str) else decoder.decode


def main() -> None:
    """Work until the server goes."""
    server = JobParent()
    decoder: Decoder = server.receive()
    server.say_ready()
    while True:
        job: Job = server.receive()
        server.begin()
        outcome: Outcome
        try:
            outcome = way_of(decoder, job)(*job)
        except OtoscopeError as error:
            outcome = error
        except Exception:  # noqa: BLE001 - the server raises it where a request waits
            outcome = traceback.format_exc()
        server.send(outcome)


if __name__ == "__main__":
    main()
