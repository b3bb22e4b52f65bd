"""What all tests share."""

from __future__ import annotations

import signal

# A shell starts what runs in the background with Ctrl-C ignored, and children would inherit that:
# the tests that press Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
