"""`python -m otoscope.bulk`: the same as `otoscope bulk`."""

import sys

from otoscope.cli import main

if __name__ == "__main__":
    sys.exit(main(["bulk", *sys.argv[1:]]))
