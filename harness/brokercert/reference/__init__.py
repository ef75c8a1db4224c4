"""The reference clients, one a dialect, and what they share."""
