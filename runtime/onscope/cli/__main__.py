"""`python -m onscope.cli`: the same as `onscope`, where the script is not on the path."""

from . import main

main()
