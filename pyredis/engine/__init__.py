"""The sans-I/O core: a server's state, a client's state, and how bytes become replies."""
