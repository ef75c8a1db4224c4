"""The parcel: a run as one file, signed where its sender has a key, which anybody checks without client and network."""
