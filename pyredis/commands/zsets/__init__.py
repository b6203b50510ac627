"""Sorted sets: their members and scores, ranges, pops, and algebra (t_zset.c)."""
