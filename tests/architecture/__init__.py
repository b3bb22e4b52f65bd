"""What the repository promises about itself: imports, sizes, generated code, the contract."""
