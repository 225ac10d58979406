"""The command `otoscope`: recordings in, texts, times, posteriors and pictures out.

It hears with a model of this machine, or has a service hear (`--server`).
"""

import os
import sys
from collections.abc import Sequence

from otoscope.cli.arguments import make_parser
from otoscope.cli.errors import UsageError, one_line
from otoscope.errors import OtoscopeError

OK, SOME_FAILED, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes are those that --help tells of."""
    options = make_parser().parse_args(arguments)
    try:
        failed = options.command(options)
        sys.stdout.flush()
    except UsageError as error:
        options.parser.error(str(error))
    except BrokenPipeError:  # whoever read has had enough
        # Python flushes standard output once more at its end, and must not stumble then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("otoscope: interrupted\n")
        return INTERRUPTED
    except (OtoscopeError, OSError) as error:
        sys.stderr.write(f"otoscope: {one_line(error)}\n")
        return NOTHING_DONE
    return SOME_FAILED if failed else OK
