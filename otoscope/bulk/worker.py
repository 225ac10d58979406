"""The child process of `otoscope.bulk.workers`: it transcribes one recording after another."""

import time
import traceback

from otoscope.errors import OtoscopeError
from otoscope.job_processes import JobParent
from otoscope.local_model import LocalModel
from otoscope.schemas import TranscriptAnswer

Outcome = TranscriptAnswer | OtoscopeError | OSError | str
"""A transcription, its error, or the traceback of an unexpected error; sent with the CPU seconds
used."""


def main() -> None:
    """Work until the parent process ends."""
    command = JobParent()
    arguments, named = command.receive()
    try:
        model = LocalModel(*arguments, **named)
    except OtoscopeError as error:
        command.refuse(error)
        return
    command.say_ready()
    while True:
        job = command.receive()
        command.begin()
        started_s = time.process_time()
        outcome: Outcome
        try:
            outcome = model.transcribe(*job)
        except (OtoscopeError, OSError) as error:
            outcome = error
        except Exception:  # noqa: BLE001 - the command raises it
            outcome = traceback.format_exc()
        command.send((outcome, time.process_time() - started_s))


if __name__ == "__main__":
    main()
