"""Who a client is: the user, tokens, sessions, and the quotas of them."""
