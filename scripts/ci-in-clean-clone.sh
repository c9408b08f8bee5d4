#!/usr/bin/env bash
# Clones HEAD to a temporary folder and runs .ci/run there, as CI does: shows what only works in this folder because of
# files that are not committed. scripts/ci-in-clean-clone.sh [--keep] keeps the clone for a look.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

keep=no
case ${1:-} in
  "") ;;
  --keep) keep=yes ;;
  *) die "unknown option '$1'; usage: scripts/ci-in-clean-clone.sh [--keep]" ;;
esac

[[ -z $(git -C "$root" status --porcelain) ]] || say "warning: uncommitted changes are not part of the clone"
commit=$(git -C "$root" rev-parse HEAD)
folder=$(mktemp -d "${TMPDIR:-/tmp}/magpie-clone.XXXXXX")
if [[ $keep == yes ]]; then say "the clone stays in $folder"; else trap 'rm -rf "$folder"' EXIT; fi

# The clone's origin/main must be the one that this clone compares with, where there is one.
git clone --quiet --no-checkout "$root" "$folder"
main=$(git -C "$root" rev-parse --quiet --verify origin/main || git -C "$root" rev-parse --quiet --verify main || true)
if [[ -n $main ]]; then git -C "$folder" update-ref refs/remotes/origin/main "$main"; fi
git -C "$folder" checkout --quiet --detach "$commit"
cd "$folder"
.ci/run
