"""Speed and memory against a real server, both measured in the same run."""
