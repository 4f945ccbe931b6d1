-- Version 24: how much was done in each minute.

CREATE TABLE flow (
    minute     INTEGER PRIMARY KEY,         -- since the epoch
    stored     INTEGER NOT NULL,            -- parts of mails that were taken
    refused    INTEGER NOT NULL,            -- recipients and mails that were not
    sent       INTEGER NOT NULL,            -- parts that an SMSC took
    delivered  INTEGER NOT NULL,
    failed     INTEGER NOT NULL             -- failed, expired or cancelled
);
