"""The wire: requests in, replies out, in both versions of the protocol."""
