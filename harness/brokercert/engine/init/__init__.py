"""The first minutes: what a folder holds, and a brokercert.toml for it. It guesses, and says that it does."""
