"""Redis Cluster: 16384 slots spread over nodes that find, watch and replace each other over their own bus."""
