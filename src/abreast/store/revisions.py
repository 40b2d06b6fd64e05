"""The schema's history, for those who must know it without Alembic or SQLAlchemy."""

VERSION_TABLE = "abreast_version"
# Oldest first; each has a file in migrations/versions/ and, for the tests, rows in
# tests/store/data/.
REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"),
    *("0011", "0012", "0013", "0014", "0015", "0016", "0017"),
)
