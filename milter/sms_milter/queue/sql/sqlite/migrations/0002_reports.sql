-- Version 2: mails of ours to the senders: reports about messages, and answers of the dialects.

-- What the sender of a message is told of: the sum of 1 lost before the SMSC had it, 2 any failure, 4 delivery.
ALTER TABLE message ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;
-- ESMTP parameter ORCPT as given.
ALTER TABLE message ADD COLUMN original_recipient TEXT NOT NULL DEFAULT '';
-- When to look whether its receipt is overdue; NULL: nobody waits for it.
ALTER TABLE message ADD COLUMN overdue_at REAL;

CREATE INDEX message_overdue ON message (overdue_at) WHERE overdue_at IS NOT NULL;

-- part.receipt is 2 from now on where a receipt was asked for in order to tell the sender; 0 and 1 as before.

-- What reports repeat of a mail whose sender asks for them.
CREATE TABLE original (
    mail_id      INTEGER PRIMARY KEY,
    envelope_id  TEXT NOT NULL,         -- ESMTP parameter ENVID as given
    header       BLOB NOT NULL
);

-- Mails for the report role. Its row stays until its mail is forgotten, so that a message is reported once.
CREATE TABLE report (
    id              INTEGER PRIMARY KEY,
    mail_id         INTEGER NOT NULL,
    message_id      INTEGER,            -- the message it tells of; NULL: an answer
    created_at      REAL    NOT NULL,
    due_at          REAL    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    finished_at     REAL,               -- taken by the MTA, or given up
    why             TEXT,               -- why the MTA did not take it the last time

    state           INTEGER,            -- of a message: the part that decided, as it was then
    smsc            TEXT,
    stat            TEXT,
    error           TEXT,
    command_status  INTEGER,
    at              REAL,

    recipient       TEXT,               -- of an answer: the mail
    subject         TEXT,
    body            TEXT
);

CREATE UNIQUE INDEX report_message ON report (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX report_mail ON report (mail_id);
CREATE INDEX report_due ON report (due_at) WHERE finished_at IS NULL;
