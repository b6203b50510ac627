"""Leaf helpers: numbers, patterns, checksums, clocks.  They import nothing but ``errors``."""
