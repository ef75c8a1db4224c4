"""What a client asks for, over socket and REST, and what it is answered."""
