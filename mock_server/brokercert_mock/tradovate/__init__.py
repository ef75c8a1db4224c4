"""The Tradovate mock broker."""
