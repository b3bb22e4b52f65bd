"""Sources of media: each gives an encoded file, bounded, hashed and paid for from the budget."""
