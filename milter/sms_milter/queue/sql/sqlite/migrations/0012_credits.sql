-- Version 12: prepaid credits. All amounts are thousandths of a credit.

-- What an account has: `deposit` as the configuration said the last time it sent, and `booked`, the sum of its
-- bookings. The balance is their sum.
CREATE TABLE balance (
    account  TEXT    PRIMARY KEY,
    deposit  INTEGER NOT NULL,
    booked   INTEGER NOT NULL
) WITHOUT ROWID;

-- Every change of `booked`; what mails cost and what came back of it is forgotten with time, bookings of operators
-- are not.
CREATE TABLE booking (
    id       INTEGER PRIMARY KEY,
    account  TEXT    NOT NULL,
    at       REAL    NOT NULL,
    amount   INTEGER NOT NULL,
    mail_id  INTEGER,                   -- the mail that was paid, or of which something came back
    note     TEXT    NOT NULL
);

CREATE INDEX booking_account ON booking (account, id);
CREATE INDEX booking_mail ON booking (at) WHERE mail_id IS NOT NULL;

-- What parts of metered accounts have cost.
CREATE TABLE charge (
    part_id   INTEGER PRIMARY KEY,
    account   TEXT    NOT NULL,
    price     INTEGER NOT NULL,
    returned  INTEGER NOT NULL DEFAULT 0 -- 1: given back, since the SMSC never had it
);
