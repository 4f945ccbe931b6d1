-- Version 25: for a list of more than two values (IN) SQLite builds a table each time a part changes.

DROP INDEX part_notable;
CREATE INDEX part_notable ON part (state, smsc) WHERE state = 1 OR state = 3 OR state = 5 OR state = 6;
