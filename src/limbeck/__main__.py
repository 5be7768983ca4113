"""``python -m limbeck`` is the command ``limbeck``, for where scripts are not on the path."""

from limbeck.cli import main

if __name__ == "__main__":
    main()
