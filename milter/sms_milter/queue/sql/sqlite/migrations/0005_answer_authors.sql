-- Version 5: an answer may have an author of its own.

-- The From address and the name beside it; '' or NULL: those of all our reports.
ALTER TABLE report ADD COLUMN author TEXT;
ALTER TABLE report ADD COLUMN author_name TEXT;
