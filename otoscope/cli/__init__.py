"""The command `otoscope`: recordings in, texts, times, posteriors and pictures out.

It runs a model on this machine, or asks a service (`--server`).
"""

import os
import sys
from collections.abc import Sequence

from otoscope.cli.arguments import make_parser
from otoscope.cli.files import one_line
from otoscope.cli.inputs import UsageError
from otoscope.errors import OtoscopeError

OK, SOME_FAILED, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, which --help explains."""
    options = make_parser().parse_args(arguments)
    try:
        failed = options.command(options)
        sys.stdout.flush()
    except UsageError as error:
        options.parser.error(str(error))
    except BrokenPipeError:  # the reader has closed the pipe
        # Python flushes standard output once more when it exits, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("otoscope: interrupted\n")
        return INTERRUPTED
    except (OtoscopeError, OSError) as error:
        sys.stderr.write(f"otoscope: {one_line(error)}\n")
        return NOTHING_DONE
    return SOME_FAILED if failed else OK
