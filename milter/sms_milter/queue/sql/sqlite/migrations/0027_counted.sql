-- Version 27: what storms count is told of its end.

-- A message that is counted in another, which is held, instead of being sent.
CREATE TABLE counted (
    id                  INTEGER PRIMARY KEY, -- one of those of its mail, behind those of what is sent
    mail_id             INTEGER NOT NULL,
    into_id             INTEGER NOT NULL,    -- the message that stands for it
    recipient           TEXT    NOT NULL,    -- these as in message
    original_recipient  TEXT    NOT NULL,
    reference           TEXT,
    referrer            TEXT,
    public_id           TEXT    NOT NULL,
    notify              INTEGER NOT NULL,
    notice              INTEGER NOT NULL
);

CREATE INDEX counted_into ON counted (into_id);
CREATE INDEX counted_mail ON counted (mail_id);
CREATE INDEX counted_reference ON counted (referrer, reference) WHERE reference IS NOT NULL;
