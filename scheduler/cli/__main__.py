"""``python -m scheduler.cli``: the same as the command ``gaung``."""

from scheduler.cli import main

if __name__ == "__main__":
    main()
