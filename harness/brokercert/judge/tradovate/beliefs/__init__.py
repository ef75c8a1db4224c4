"""What a client believes, compared with the ledger: checks of several areas."""
