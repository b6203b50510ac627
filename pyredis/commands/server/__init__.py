"""Commands about the server itself, for operators and client libraries."""
