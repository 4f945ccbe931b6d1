-- Version 11: numbers given to requests without an id of their own; what only their sender's history shows.

-- The last number given out for an account.
CREATE TABLE number (
    account  TEXT PRIMARY KEY,
    last     INTEGER NOT NULL
) WITHOUT ROWID;

-- What the sender noted on a message; the phone is not sent it.
CREATE TABLE comment (
    message_id  INTEGER PRIMARY KEY,
    text        TEXT    NOT NULL
);

-- Destinations that a mail names and that got nothing, while others did.
CREATE TABLE left_out (
    mail_id      INTEGER NOT NULL,
    destination  TEXT    NOT NULL,      -- as the mail writes it
    why          TEXT    NOT NULL       -- the reply that it would have got alone
);

CREATE INDEX left_out_mail ON left_out (mail_id);
