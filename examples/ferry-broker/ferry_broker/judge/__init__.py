"""How Ferry traces are judged. Every module here is searched for checks; none imports the broker or a client."""
