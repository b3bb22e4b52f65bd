"""The running model. The only package that imports vLLM; importing it is slow (seconds)."""
