"""`python -m sim.cli` is `wxsim`."""

from sim.cli import main

if __name__ == "__main__":
    main()
