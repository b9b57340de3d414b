-- Keys that sign statements of results. The public half of each stays published for ever.
CREATE TABLE statement_keys (
    key_id      bytea       PRIMARY KEY CHECK (length(key_id) = 4),
    private_key bytea       NOT NULL,      -- sealed by the vault
    public_key  bytea       NOT NULL UNIQUE CHECK (length(public_key) = 32),
    signs_from  timestamptz NOT NULL,
    signs_until timestamptz NOT NULL CHECK (signs_until > signs_from)
);

CREATE INDEX statement_keys_signing ON statement_keys (signs_until);

-- Links with which candidates show a result to others. Of the link only its digest is kept.
CREATE TABLE shares (
    id         uuid        PRIMARY KEY,
    entry_id   uuid        NOT NULL,
    account_id uuid        NOT NULL,       -- of the holder who made it
    digest     bytea       NOT NULL UNIQUE CHECK (length(digest) = 32),
    label      text        NOT NULL,       -- for whom, in the holder's words
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at timestamptz
);

CREATE INDEX shares_entry ON shares (entry_id, created_at DESC);

-- Organisations that may check statements by ID number and secret number.
CREATE TABLE organisations (
    id                uuid        PRIMARY KEY,
    account_id        uuid        NOT NULL UNIQUE,
    name              text        NOT NULL,
    website           text        NOT NULL,
    purpose           text        NOT NULL,
    applied_at        timestamptz NOT NULL,
    state             text        NOT NULL DEFAULT 'applied'
                                  CHECK (state IN ('applied', 'approved', 'refused')),
    reason            text        NOT NULL DEFAULT '',   -- they read it
    decided_by        uuid,
    decided_at        timestamptz,
    terms_version     integer,
    terms_accepted_at timestamptz,
    CHECK ((state = 'applied') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL)),
    CHECK (decided_by <> account_id)
);

CREATE INDEX organisations_state ON organisations (state, applied_at);

-- Who looked at whose result, and when: the candidate sees all of it.
CREATE TABLE looks (
    id              uuid        PRIMARY KEY,
    entry_id        uuid        NOT NULL,
    result_id       uuid        NOT NULL REFERENCES results,
    share_id        uuid        REFERENCES shares,
    organisation_id uuid        REFERENCES organisations,
    looked_by       text        NOT NULL,  -- an organisation's name, or what a visitor wrote
    looked_at       timestamptz NOT NULL,
    CHECK (num_nonnulls(share_id, organisation_id) = 1)
);

CREATE INDEX looks_entry ON looks (entry_id, looked_at DESC);
CREATE INDEX looks_organisation ON looks (organisation_id, looked_at DESC);

CREATE TRIGGER looks_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON looks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How often something was tried within a while.
CREATE TABLE counters (
    name     text        NOT NULL,
    key      text        NOT NULL,
    count    integer     NOT NULL,
    began_at timestamptz NOT NULL,
    PRIMARY KEY (name, key)
) WITH (fillfactor = 70);

CREATE INDEX counters_began_at ON counters (began_at);
