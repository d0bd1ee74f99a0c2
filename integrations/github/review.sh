#!/usr/bin/env bash
# Checks a workspace and, on a pull request, compares it with the base and keeps one comment up to date. Every input is a
# variable of the environment, and none is ever part of a command.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workspace=./${AIPOLICY_WORKSPACE:-.}
program=${AIPOLICY_PROGRAM:-}
reports=$(mktemp -d "${RUNNER_TEMP:-/tmp}/aipolicy.XXXXXX")

# Builds the program that this action ships with.
build() {
  (cd "$here/../.." && cargo install --quiet --locked --path . --root "$reports/program")
  program=$reports/program/bin/aipolicy
}

# Brings the base of the pull request, which a shallow checkout does not have.
fetch_base() {
  if [[ ! $AIPOLICY_BASE =~ ^[0-9a-f]{40,64}$ ]]; then
    echo "::error::the base of the pull request is not a commit"
    exit 1
  fi
  git cat-file -e "$AIPOLICY_BASE^{commit}" 2>/dev/null ||
    git fetch --quiet --no-tags --depth=1 origin "$AIPOLICY_BASE"
}

# What the change lets happen, as a summary of the job and as a comment.
compare() {
  local status=0
  fetch_base
  if [ -z "$(git ls-tree --name-only "$AIPOLICY_BASE" -- "$workspace/")" ]; then
    echo "::notice::the base has no such workspace, so there is nothing to compare with"
    return
  fi
  "$program" diff "$AIPOLICY_BASE" HEAD -C "$workspace" --output "markdown=$reports/comment.md" >/dev/null || status=$?
  if [ ! -s "$reports/comment.md" ]; then
    echo "::error::the revisions cannot be compared"
    exit "$status"
  fi
  cat "$reports/comment.md" >>"$GITHUB_STEP_SUMMARY"
  if [ "${AIPOLICY_COMMENT:-true}" = true ]; then
    python3 "$here/comment.py" "$reports/comment.md"
  fi
}

[ -n "$program" ] || build

verdict=0
"$program" check "$workspace" --format github \
  --output "sarif=$reports/findings.sarif" --output "summary=$GITHUB_STEP_SUMMARY" || verdict=$?
echo "sarif=$reports/findings.sarif" >>"$GITHUB_OUTPUT"
if [ -n "${AIPOLICY_BASE:-}" ]; then
  compare
fi
exit "$verdict"
