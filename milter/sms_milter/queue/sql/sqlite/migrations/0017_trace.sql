-- Version 17: SMSCs whose PDUs are logged for a while.

CREATE TABLE trace (
    smsc   TEXT PRIMARY KEY,
    until  REAL NOT NULL
) WITHOUT ROWID;
