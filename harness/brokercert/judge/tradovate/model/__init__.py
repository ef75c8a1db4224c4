"""What was said on which connection, of which entities: what the checks of all areas read."""
