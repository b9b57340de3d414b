-- Links in letters: each works once, for a while, and a newer one replaces it.
CREATE TABLE links (
    token_digest bytea       PRIMARY KEY,
    purpose      text        NOT NULL,
    subject      text        NOT NULL,  -- whose link: an address or an account
    details      jsonb       NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    replaced_at  timestamptz
);

CREATE UNIQUE INDEX links_one_at_a_time ON links (purpose, subject)
    WHERE used_at IS NULL AND replaced_at IS NULL;
CREATE INDEX links_expires_at ON links (expires_at);

-- Addresses somebody typed and is owed an answer about, by letter: the page answers at once and
-- alike, whether it knows the address or not.
CREATE TABLE inquiries (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    purpose       text        NOT NULL CHECK (purpose IN ('sign_up', 'reset_password')),
    email         text        NOT NULL,
    person        text        NOT NULL,
    language      text        NOT NULL,
    password_hash text,
    asked_at      timestamptz NOT NULL
);

-- Wrong tries in a row, per account and device. The devices that never signed in count as one, so
-- that a stranger's tries lock strangers, not the owner.
CREATE TABLE tries (
    email_key    text        NOT NULL,
    device       text        NOT NULL,
    count        integer     NOT NULL,
    locked_until timestamptz,
    last_at      timestamptz NOT NULL,
    PRIMARY KEY (email_key, device)
);

CREATE INDEX tries_last_at ON tries (last_at);

CREATE TABLE devices (
    account_id uuid        NOT NULL REFERENCES accounts,
    digest     text        NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, digest)
);

-- How often something was done by somebody within a while.
CREATE TABLE counters (
    name       text        NOT NULL,
    key        text        NOT NULL,
    count      integer     NOT NULL,
    began_at   timestamptz NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE INDEX counters_began_at ON counters (began_at);

-- Puzzles that were solved: each opens one door once.
CREATE TABLE solved_puzzles (
    digest     bytea       PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
