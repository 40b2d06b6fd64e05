"""Another core for the ledger: reads the transcripts it is told to (`-m`, lines of JSON)."""

import json
import sys

from abreast.engine.reading.ledger.read import FileToRead, dump_reading, read


def main() -> None:
    """Answer each line of tasks on standard input with a line of readings."""
    for line in sys.stdin.buffer:
        readings = [dump_reading(read(FileToRead(**task))) for task in json.loads(line)]
        # In ASCII: the names of files need not be UTF-8.
        sys.stdout.buffer.write(json.dumps(readings).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
