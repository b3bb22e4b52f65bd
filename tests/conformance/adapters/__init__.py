"""Adapters on a real engine, held to vLLM with the same adapters."""
