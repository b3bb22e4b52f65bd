"""Triptych's server: multimodal language models over gRPC."""

__version__ = "0.1.0"
