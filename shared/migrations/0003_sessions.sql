-- What a service must know to read a session without asking identity.

CREATE TABLE session_keys (
    key_id     text        PRIMARY KEY,
    public_key bytea       NOT NULL,  -- Ed25519, 32 bytes
    retires_at timestamptz NOT NULL
);

CREATE TABLE session_revocations (
    subject       uuid        PRIMARY KEY,  -- an account, or one session
    issued_before timestamptz NOT NULL,
    forget_at     timestamptz NOT NULL
);
