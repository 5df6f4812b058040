#!/bin/sh
# Become the API, the container's only process.
#
# Inside it listens on every address; who reaches it is decided by where the page's ports are
# published (PUBLISH_ON). As long as that is this machine alone, accounts are not asked for.
set -eu

case "${PUBLISH_ON:-}" in
127.* | ::1 | localhost) export OPEN_TO_NETWORK=true ;;
esac
exec python -m tiza.api
