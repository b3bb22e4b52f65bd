"""Conversations of several turns on one stream."""
