-- Version 18: which dispatcher has which bind to an SMSC, where several share a queue.

CREATE TABLE bind_lease (
    smsc    TEXT    NOT NULL,
    number  INTEGER NOT NULL,           -- 1 to the SMSC's limit of binds
    owner   TEXT    NOT NULL,
    until   REAL    NOT NULL,           -- then it is anybody's, unless renewed
    PRIMARY KEY (smsc, number)
) WITHOUT ROWID;
