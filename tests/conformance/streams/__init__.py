"""The text of ids that come one by one is vLLM's, whatever is asked."""
