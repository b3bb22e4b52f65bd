"""The terminal commands beside `serve`: `chat` and `doctor`. Each is a parser and a `run`."""
