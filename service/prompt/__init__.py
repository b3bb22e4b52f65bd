"""Prompts: a conversation in, the model's own text out, with the memory of who wrote what."""
