"""`python -m lstm_tutorial progress` shows what is solved of the coursework, and what comes next."""

import argparse

from lstm_tutorial.exercises.journal import progress


def main(arguments=None):
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m lstm_tutorial", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = commands.add_parser("progress", help="show what is solved, and what comes next")
    show.add_argument("--file", help="where progress is noted, if not beside the workbooks")
    print(progress(parser.parse_args(arguments).file))


if __name__ == "__main__":
    main()
