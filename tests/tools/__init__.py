"""Programs that people use with Redis, against this server."""
