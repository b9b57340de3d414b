-- What enrollment tells of everybody who is to sit an exam, as far as the results service needs it.
CREATE TABLE known_entries (
    entry_id      uuid        PRIMARY KEY,
    id_number     text        NOT NULL,
    secret_digest text        NOT NULL,  -- keyed; see shared/entry_numbers.py
    person_name   text        NOT NULL,
    is_cancelled  boolean     NOT NULL,
    recorded_at   timestamptz NOT NULL   -- the latest counts, in whatever order they arrive
);

CREATE INDEX known_entries_id_number ON known_entries (id_number);

-- An account of the results service: for one ID number, beside any other account of its holder.
-- Several may have one e-mail address: of a parent, of a school.
CREATE TABLE results_accounts (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    entry_id           uuid        NOT NULL REFERENCES known_entries,
    id_number          text        NOT NULL,
    secret_digest      text        NOT NULL,  -- it was opened with; a newer one opens another
    person             text        NOT NULL,  -- the name of the entry, as letters say it
    email              text        NOT NULL,
    language           text        NOT NULL,
    password_hash      text,                  -- none once closed
    wants_updates      boolean     NOT NULL,
    terms_version      integer     NOT NULL,  -- of the terms they agreed to
    registered_at      timestamptz NOT NULL,  -- and agreed
    contact_changed_at timestamptz NOT NULL,
    closed_at          timestamptz
);

CREATE UNIQUE INDEX results_accounts_one_each ON results_accounts (id_number)
    WHERE closed_at IS NULL;
CREATE INDEX results_accounts_entry ON results_accounts (entry_id) WHERE closed_at IS NULL;

-- Looks at a secret number: four digits are guessed unless they are counted. By the digest too: a
-- new secret number begins anew.
CREATE TABLE secret_tries (
    id_number     text        NOT NULL,
    secret_digest text        NOT NULL,  -- empty: no such entry; counted all the same
    count         integer     NOT NULL,
    locked_until  timestamptz,
    last_at       timestamptz NOT NULL,
    PRIMARY KEY (id_number, secret_digest)
);

CREATE INDEX secret_tries_last_at ON secret_tries (last_at);

-- Both kinds of accounts have sessions and devices.
ALTER TABLE sessions DROP CONSTRAINT sessions_account_id_fkey;
ALTER TABLE devices DROP CONSTRAINT devices_account_id_fkey;

-- A letter about the results service is asked for by ID number.
ALTER TABLE inquiries ADD COLUMN id_number text;
ALTER TABLE inquiries DROP CONSTRAINT inquiries_purpose_check;
ALTER TABLE inquiries ADD CONSTRAINT inquiries_purpose_check
    CHECK (purpose IN ('sign_up', 'reset_password', 'reset_results_password'));
