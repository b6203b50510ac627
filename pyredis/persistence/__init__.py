"""Saving the data set and reading it back: RDB files and the append-only file."""
