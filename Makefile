# Forwards to dev.py, which does everything.
.PHONY: certify test lint types check toxiproxy repeat wheel clean
certify test lint types check toxiproxy repeat wheel clean:
	@python3 dev.py $@ $(ARGS)
