"""What a write sets going: propagation, WATCH, tracking, notifications, blocked clients, monitors."""
