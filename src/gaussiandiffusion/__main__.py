"""`python -m gaussiandiffusion`."""

from gaussiandiffusion.cli import main

if __name__ == "__main__":
    main()
