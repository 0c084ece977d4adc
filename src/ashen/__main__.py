"""``python -m ashen``: the same as the command ``ashen``."""

from ashen.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
