"""The scriptable mock brokers. Knows nothing of who records or judges."""
