"""``python -m vastra_live``."""

from vastra_live.cli import main

if __name__ == "__main__":
    main()
