"""Rules: what a broker does differently, when, and the words in which a scenario says so."""
