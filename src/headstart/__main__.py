"""`python -m headstart COMMAND ...`: the command line where the folder of scripts is not on the path, as on Windows."""

from headstart.cli.main import run

if __name__ == "__main__":
    run()
