"""The exchange behind the broker: orders, fills, positions, cash."""
