-- Version 21: phones that want nothing more from an account.

CREATE TABLE suppressed (
    account  TEXT NOT NULL,
    number   TEXT NOT NULL,             -- digits only, international
    at       REAL NOT NULL,
    why      TEXT NOT NULL,
    PRIMARY KEY (account, number)
) WITHOUT ROWID;
