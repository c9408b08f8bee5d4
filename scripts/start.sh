#!/usr/bin/env bash
# Builds the server if need be and runs it in the foreground: scripts/start.sh [CONFIG-FILE] [--OPTION VALUE ...]
# The arguments are the server's own; its working directory is the caller's.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
source "$here/packages.sh"

install_packages build
build release OFF magpie-server
exec "$root/build/release/bin/magpie-server" "$@"
