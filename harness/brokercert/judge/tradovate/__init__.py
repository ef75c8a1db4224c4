"""How traces of the Tradovate dialect are judged: a model, and a folder of checks for each area of the set."""
