"""Triptych's own words, as plain frozen dataclasses. Imports nothing of the service but errors."""
