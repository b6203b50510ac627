"""Backups: archives of a data set, on a schedule, kept for some days, checked and restored."""
