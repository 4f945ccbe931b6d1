-- Version 6: what mails of an account leave behind for later ones; messages by their reference.

CREATE TABLE record (
    account  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    until    REAL,                      -- NULL: never forgotten
    mail_id  INTEGER NOT NULL,          -- the mail that wrote it last
    PRIMARY KEY (account, kind, name)
) WITHOUT ROWID;

CREATE INDEX record_until ON record (until) WHERE until IS NOT NULL;

-- The mail's account, where the message has a reference of the client's own; NULL without one.
ALTER TABLE message ADD COLUMN referrer TEXT;

UPDATE message SET referrer = (SELECT account FROM mail WHERE mail.id = message.mail_id) WHERE reference IS NOT NULL;

CREATE INDEX message_reference ON message (referrer, reference) WHERE reference IS NOT NULL;
