"""The client under test: started, read, asked and ended, as a program or in this process."""
