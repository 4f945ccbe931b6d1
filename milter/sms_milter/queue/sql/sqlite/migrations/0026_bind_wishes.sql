-- Version 26: who wants binds to an SMSC; its dispatchers have as many as each other.

CREATE TABLE bind_wish (
    smsc   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    until  REAL NOT NULL,               -- unless renewed
    PRIMARY KEY (smsc, owner)
) WITHOUT ROWID;
