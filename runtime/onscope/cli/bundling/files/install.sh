#!/bin/sh
# Checks this bundle and installs it, without internet: ./install.sh [FOLDER]   (PYTHON=/path/to/python to choose one)
set -eu
here=$(dirname -- "$0")
exec "${PYTHON:-python3}" -I "$here/install.py" "$@"
