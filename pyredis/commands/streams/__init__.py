"""Streams, by what is done with them: ``entries``, ``read``, ``groups``, ``pending`` and ``info``."""
