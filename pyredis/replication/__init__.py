"""Leader and follower: offsets, backlog, full and partial synchronisation."""
