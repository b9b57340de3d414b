-- What is sat in a level group, in order: [{"code", "titles", "starts_at"}]. None where candidates
-- register themselves: their admission ticket says it.
ALTER TABLE level_groups ADD COLUMN papers jsonb NOT NULL DEFAULT '[]';

-- Exam centres, which enter their candidates from lists.
CREATE TABLE centres (
    number        text        PRIMARY KEY CHECK (number ~ '^[A-Z0-9]{3,10}$'),
    name          text        NOT NULL,
    venue         text        NOT NULL,  -- where its candidates sit, unless a timetable says otherwise
    venue_address text        NOT NULL,
    edited_at     timestamptz NOT NULL
);

-- Who enters candidates for which centre, by e-mail address in small letters: it can be written down
-- before the person has an account.
CREATE TABLE centre_staff (
    centre text NOT NULL REFERENCES centres,
    email  text NOT NULL CHECK (email = lower(email)),
    PRIMARY KEY (centre, email)
);

CREATE INDEX centre_staff_email ON centre_staff (email);

-- Where and when a centre holds a sitting's papers, where that differs from what is usual.
CREATE TABLE timetables (
    centre        text        NOT NULL REFERENCES centres,
    sitting       text        NOT NULL REFERENCES sittings,
    venue         text        NOT NULL,
    venue_address text        NOT NULL,
    papers        jsonb       NOT NULL,  -- by code: {"on", "starts_at", "room"}
    edited_at     timestamptz NOT NULL,
    PRIMARY KEY (centre, sitting)
);

-- Who sits an exam: entered by a centre, or when their registration is confirmed.
CREATE TABLE entries (
    id               uuid        PRIMARY KEY,
    id_number        text        NOT NULL UNIQUE CHECK (id_number ~ '^[A-Z0-9]{9}$'),
    secret_number    bytea       NOT NULL,  -- encrypted, for it is printed again
    secret_digest    text        NOT NULL,  -- what other services are told instead
    sitting          text        NOT NULL REFERENCES sittings,
    centre           text        REFERENCES centres,
    candidate_number text        NOT NULL,  -- of the centre's list, or the registration's reference
    registration_id  uuid        UNIQUE,
    account_id       uuid,
    person_name      text        NOT NULL,
    latin_name       text,
    birth_date       date        NOT NULL,
    dialect          text,
    internal_id      text,                  -- what the centre itself calls the candidate
    is_cancelled     boolean     NOT NULL DEFAULT false,
    recorded_at      timestamptz NOT NULL,  -- of the last change: the one that counts elsewhere
    UNIQUE (sitting, centre, candidate_number),
    CHECK ((centre IS NULL) = (registration_id IS NOT NULL)),
    CHECK ((registration_id IS NULL) = (account_id IS NULL))
);
