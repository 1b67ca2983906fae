"""``python -m cytobench``."""

import sys

from cytobench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
