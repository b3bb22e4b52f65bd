"""Embeddings of real engines, held to vLLM's own."""
