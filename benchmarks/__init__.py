"""Reproducible comparisons with peers; every figure in the docs comes from here."""
