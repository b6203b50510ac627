"""CLUSTER, and what a client says of the node it talks to: ASKING, READONLY, READWRITE."""
