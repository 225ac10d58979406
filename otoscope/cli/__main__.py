"""`python -m otoscope.cli`, which is `otoscope`."""

import sys

from otoscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
