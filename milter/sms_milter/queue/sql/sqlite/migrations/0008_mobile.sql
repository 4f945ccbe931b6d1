-- Version 8: messages from phones (mobile-originated).

CREATE TABLE mobile (
    id           INTEGER PRIMARY KEY,
    smsc         TEXT    NOT NULL,
    source       TEXT    NOT NULL,      -- the phone
    destination  TEXT    NOT NULL,      -- the number that it wrote to
    alphabet     TEXT    NOT NULL,
    width        INTEGER NOT NULL,      -- of the concatenation reference in octets; 0: none
    reference    INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    arrived      INTEGER NOT NULL,
    at           REAL    NOT NULL,      -- its first part
    due_at       REAL    NOT NULL,      -- told from then on, complete or not
    finished_at  REAL
);

-- The message that a part belongs to.
CREATE INDEX mobile_numbers ON mobile (source, destination, at);
CREATE INDEX mobile_due ON mobile (due_at) WHERE finished_at IS NULL;
-- What may be forgotten.
CREATE INDEX mobile_at ON mobile (at);

CREATE TABLE mobile_part (
    mobile_id  INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    content    BLOB    NOT NULL,
    PRIMARY KEY (mobile_id, number)
) WITHOUT ROWID;
