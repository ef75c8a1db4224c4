"""One short start of a client, told in words: what came of it, and what may be asked of it. No verdict."""
