"""The databases: keys, expiry, scanning, eviction, and who hears of their changes."""
