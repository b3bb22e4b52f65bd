"""Media that callers have uploaded, on disk."""
