"""`python -m abreast` is `abreast`."""

import sys

from abreast.cli import main

if __name__ == "__main__":
    sys.exit(main())
