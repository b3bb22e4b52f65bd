"""The tokenizer: a child process, the sidecar, and the client that talks to it."""
