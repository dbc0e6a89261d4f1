"""Quantitative susceptibility mapping group studies, from scans to tables."""

__version__ = "0.1.0"
