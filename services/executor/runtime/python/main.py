"""Starts the Python runner."""

import os
import sys

from fnbus_runner.runner import main

sys.path.pop(0)
try:
    main()
except (OSError, ValueError):
    os._exit(1)
