"""Real vocabularies: the sidecar beside Hugging Face `tokenizers`, difference by difference."""
