-- Whoever comes back from a provider has it asked at once: not again and again.

ALTER TABLE attempts ADD COLUMN asked_at timestamptz;
