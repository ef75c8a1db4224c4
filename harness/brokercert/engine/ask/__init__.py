"""What is asked of a run: options, the configuration file, and what a user names in either."""
