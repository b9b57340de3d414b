-- An exam owner's set of levels and its rules. Loaded from services/enrollment/catalogues, and
-- changed by registrars: what they changed has edited_at, and no file overwrites it.
CREATE TABLE programmes (
    code                 text        PRIMARY KEY CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    titles               jsonb       NOT NULL,  -- by language
    zone                 text        NOT NULL,  -- whose days and hours its calendar means
    year                 integer     NOT NULL,
    publish_time         time        NOT NULL,  -- when tickets and results appear on their days
    entry                text        NOT NULL CHECK (entry IN ('candidate', 'centre')),
    fee_rule             text        NOT NULL
                         CHECK (fee_rule IN ('free_to_birthday', 'flat', 'centre')),
    fee_twd              integer     NOT NULL DEFAULT 0 CHECK (fee_twd >= 0),
    fee_free_to_birthday integer,               -- free when the exam is on or before this birthday
    areas                jsonb       NOT NULL DEFAULT '[]',  -- in order: [{"code", "titles"}]
    dialects             jsonb       NOT NULL DEFAULT '[]',  -- the same
    form                 jsonb       NOT NULL DEFAULT '{}',  -- what is asked, and the choices
    documents            jsonb       NOT NULL DEFAULT '[]',  -- what is uploaded
    consents             jsonb       NOT NULL DEFAULT '[]',  -- what is agreed to first
    source               text,                  -- the file; none when it was made on a page
    digest               text,                  -- of the file as it was last loaded
    loaded_at            timestamptz,
    edited_at            timestamptz,
    CHECK ((fee_rule = 'free_to_birthday') = (fee_free_to_birthday IS NOT NULL))
);

-- What one registers for; a pass may award one of several levels.
CREATE TABLE level_groups (
    programme text        NOT NULL REFERENCES programmes,
    code      text        NOT NULL CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    titles    jsonb       NOT NULL,
    position  integer     NOT NULL,
    edited_at timestamptz,
    PRIMARY KEY (programme, code)
);

-- A family of sittings of a level group that share entry rules.
CREATE TABLE series (
    programme          text        NOT NULL,
    level_group        text        NOT NULL,
    code               text        NOT NULL CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    titles             jsonb       NOT NULL,
    submit_within_days integer     CHECK (submit_within_days > 0),  -- none: by the window's end
    one_only           boolean     NOT NULL,  -- a person enters one of its sittings
    absence_bars       boolean     NOT NULL,  -- who was absent enters no later one of that year
    position           integer     NOT NULL,
    edited_at          timestamptz,
    PRIMARY KEY (programme, level_group, code),
    FOREIGN KEY (programme, level_group) REFERENCES level_groups
);

-- One exam date of a level group, with its own calendar.
CREATE TABLE sittings (
    code            text        PRIMARY KEY CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    programme       text        NOT NULL,
    level_group     text        NOT NULL,
    series          text        NOT NULL,
    number          integer     NOT NULL CHECK (number > 0),  -- within its series
    titles          jsonb       NOT NULL,
    year            integer     NOT NULL,
    exam_date       date        NOT NULL,
    opens_at        timestamptz NOT NULL,  -- half-open: the first instant that is in time,
    closes_at       timestamptz NOT NULL,  -- and the first that is too late
    materials_on    date,
    tickets_at      timestamptz NOT NULL,
    results_at      timestamptz NOT NULL,
    certificates_on date,
    methods         text[]      NOT NULL,
    dialects        text[]      NOT NULL,
    edited_at       timestamptz,
    FOREIGN KEY (programme, level_group, series) REFERENCES series,
    UNIQUE (programme, level_group, series, year, number),
    CHECK (opens_at < closes_at)
);

CREATE INDEX sittings_exam_date ON sittings (exam_date);

-- Places of a sitting in an area: the row that everybody wants at midnight. Room is left for the
-- counter, so that taking places rewrites no index.
CREATE TABLE places (
    sitting   text        NOT NULL REFERENCES sittings,
    area      text        NOT NULL CHECK (area ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    capacity  integer     CHECK (capacity >= 0),  -- none: unlimited
    taken     integer     NOT NULL DEFAULT 0,
    edited_at timestamptz,
    PRIMARY KEY (sitting, area),
    CHECK (taken >= 0),
    CHECK (capacity IS NULL OR taken <= capacity)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
