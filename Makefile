# Forwards to dev.py, which does everything: make certify ARGS="--part core". `tests/house` compares the verbs.
VERBS := certify test lint types complexity check generate new toxiproxy repeat virtual chaos nightly mutants fuzz \
         bench edits wheel clean help
.PHONY: $(VERBS)
$(VERBS):
	@python3 dev.py $@ $(ARGS)
