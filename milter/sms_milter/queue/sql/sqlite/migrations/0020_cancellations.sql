-- Version 20: parts that their SMSCs are to be asked to cancel.

CREATE TABLE cancellation (
    part_id  INTEGER PRIMARY KEY,
    at       REAL NOT NULL
);
