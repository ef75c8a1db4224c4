"""An independent reader, which holds the sentences of findings against their trace."""
