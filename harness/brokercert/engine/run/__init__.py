"""A run: planned, played, judged, put on record; and the same from saved traces."""
