-- Version 9: what duplicate and flood protection must remember.

-- Requests that were taken, by what identical ones have in common.
CREATE TABLE request (
    account   TEXT NOT NULL,
    identity  BLOB NOT NULL,
    at        REAL NOT NULL,
    until     REAL NOT NULL             -- it does not count any more from then on
);

CREATE INDEX request_identity ON request (account, identity, at);
CREATE INDEX request_until ON request (until);

-- Messages that follow each other without a pause; destination '*' stands for all of an account's.
CREATE TABLE run (
    account      TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    at           REAL    NOT NULL,      -- of the last one, also if it was refused
    messages     INTEGER NOT NULL,
    until        REAL    NOT NULL,      -- the run is over from then on
    PRIMARY KEY (account, destination)
) WITHOUT ROWID;

CREATE INDEX run_until ON run (until);
