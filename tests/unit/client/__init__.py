"""Tests of the Python client, against a scripted server in the same process."""
