"""What an answer is taken for, thoughts, text or calls, is what vLLM's server takes it for."""
