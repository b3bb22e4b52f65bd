"""Prompts of every family, held to those of vLLM's own renderer."""
