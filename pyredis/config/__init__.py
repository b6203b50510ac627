"""Directives: their values, CONFIG GET/SET/REWRITE, the configuration file and the command line."""
