"""Every command: declaration and handler side by side, one file per family."""
