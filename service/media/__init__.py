"""Media: bytes in, decoded and bounded media out, off the event loop."""
