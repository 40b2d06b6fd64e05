"""Another core for the ledger: reads the transcripts it is told to (`-m`, lines of JSON)."""

import json
import sys

from abreast import codec
from abreast.engine.reading.ledger.read import read
from abreast.store.transcripts import Indexed


def main() -> None:
    """Answer each line of files on standard input with a line of readings."""
    for line in sys.stdin.buffer:
        files = codec.load(list[Indexed], json.loads(line), "the files to read")
        # In ASCII: the names of files need not be UTF-8.
        answer = json.dumps(codec.dump([read(one) for one in files]))
        sys.stdout.buffer.write(answer.encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
