"""How commands are declared: flags, key specifications, option parsing and the table itself."""
