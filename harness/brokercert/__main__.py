"""`python -m brokercert`."""

import sys

from brokercert.cli import main

if __name__ == "__main__":
    sys.exit(main())
