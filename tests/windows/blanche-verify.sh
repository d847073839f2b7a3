#!/bin/bash
# blanche-verify.exe as the tests call it; sentences in English, because Wine needs another locale than the caller's.
exec "$(dirname "$0")/wine.sh" "${BLANCHE_VERIFY_EXE:?set by tests/windows/ready.sh}" --lang en "$@"
