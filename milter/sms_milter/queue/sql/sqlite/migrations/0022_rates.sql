-- Version 22: how much of an SMSC's rate each dispatcher has, where several share a queue.

CREATE TABLE rate_share (
    smsc        TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    parts       INTEGER NOT NULL,       -- per second
    until       REAL    NOT NULL,       -- then it is the others'
    lowered_at  REAL    NOT NULL,       -- when it last was more; 0: never
    PRIMARY KEY (smsc, owner)
) WITHOUT ROWID;
