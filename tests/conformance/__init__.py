"""What must be the same everywhere: here, in vLLM's own server, and in every client."""
