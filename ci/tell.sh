#!/usr/bin/env bash
# Tells a run's result to GitHub: the summary of the step, and annotations. It decides nothing, so that it never fails:
# the step before has the status.
set -uo pipefail

run="${BROKERCERT_OUT:-out}/latest"
if [[ ! -f $run/run.json ]]; then
  echo "::error title=brokercert::There is no run to tell of. The step before says why."
  exit 0
fi
if [[ -n ${GITHUB_STEP_SUMMARY:-} && -f $run/summary.md ]]; then
  cat "$run/summary.md" >> "$GITHUB_STEP_SUMMARY" || echo "::warning title=brokercert::The summary was not written."
fi
python3 "$(dirname "${BASH_SOURCE[0]}")/annotate.py" "$run/run.json" || true
