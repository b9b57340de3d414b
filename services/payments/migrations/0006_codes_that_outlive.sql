-- A code may outlive its order, and whoever still pays with it is too late. So a provider is asked
-- for as long as there is something to hear, also when its last word on the order was said.

ALTER TABLE attempts ALTER COLUMN ask_at DROP NOT NULL;
UPDATE attempts SET ask_at = NULL WHERE closed_at IS NOT NULL;

DROP INDEX attempts_to_ask;
CREATE INDEX attempts_to_ask ON attempts (ask_at) WHERE ask_at IS NOT NULL;
