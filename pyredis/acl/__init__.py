"""Users, their rights, and the checks."""
