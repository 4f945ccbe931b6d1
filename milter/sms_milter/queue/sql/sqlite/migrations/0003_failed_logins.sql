-- Version 3: wrong passwords in mails, and who is blocked after too many of them.

CREATE TABLE failed_login (
    who    TEXT NOT NULL,               -- a client, an account, or the digest of a name that no account has
    at     REAL NOT NULL,
    until  REAL NOT NULL                -- it does not count any more from then on
);

CREATE INDEX failed_login_who ON failed_login (who, at);
CREATE INDEX failed_login_until ON failed_login (until);

CREATE TABLE login_block (
    who    TEXT PRIMARY KEY,
    until  REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX login_block_until ON login_block (until);
