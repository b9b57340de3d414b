-- Who has which registration before them. No foreign key: it would make every claim that is one
-- too many, at midnight, look here.
CREATE TABLE reviews (
    registration_id uuid        PRIMARY KEY,
    reviewer        uuid        NOT NULL,
    name            text        NOT NULL,  -- the reviewer's, for colleagues
    taken_until     timestamptz NOT NULL   -- from then on somebody else may take it
);
