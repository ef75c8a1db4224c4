"""One scenario being played: broker, path, client, trace. Nothing here judges."""
