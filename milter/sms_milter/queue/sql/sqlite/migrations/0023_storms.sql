-- Version 23: storms of alike messages.

-- The last message of an account to a phone by what those alike have in common.
CREATE TABLE storm (
    account      TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    likeness     BLOB    NOT NULL,
    due_at       REAL    NOT NULL,      -- when it goes, or went
    held         INTEGER,               -- its id if it was held, so that others can be counted in it
    alike        INTEGER NOT NULL,      -- how many it stands for
    until        REAL    NOT NULL,      -- the storm is over from then on
    PRIMARY KEY (account, destination, likeness)
) WITHOUT ROWID;

CREATE INDEX storm_until ON storm (until);
