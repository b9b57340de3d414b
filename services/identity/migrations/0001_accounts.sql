CREATE TABLE accounts (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text        NOT NULL,
    email_key     text        UNIQUE,                 -- as it is compared; none once closed
    person        text        NOT NULL,
    language      text        NOT NULL,
    password_hash text,                               -- none: signs in with an issuer only
    roles         text[]      NOT NULL DEFAULT '{}',  -- none: a candidate
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz
);

CREATE INDEX accounts_staff ON accounts (email_key) WHERE roles <> '{}';

-- What staff prove with a second device.
CREATE TABLE second_factors (
    account_id uuid   PRIMARY KEY REFERENCES accounts,
    secret     bytea  NOT NULL,            -- TOTP, encrypted
    last_step  bigint NOT NULL DEFAULT 0   -- a code works once
);

-- An account at an OpenID Connect issuer that may sign in here.
CREATE TABLE linked_identities (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    linked_at  timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE sessions (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid        NOT NULL REFERENCES accounts,
    began_at   timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    ended_at   timestamptz
);

CREATE INDEX sessions_account ON sessions (account_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_ends_at ON sessions (ends_at);

CREATE TABLE signing_keys (
    key_id      text        PRIMARY KEY,
    private_key bytea       NOT NULL,  -- encrypted
    public_key  bytea       NOT NULL,
    signs_from  timestamptz NOT NULL,
    signs_until timestamptz NOT NULL,
    retires_at  timestamptz NOT NULL
);
