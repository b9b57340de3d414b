"""Letters: owed, claimed by a sender, settled. Sole writer of `letters` and `letter_attempts`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from services.notify import rules
from services.notify.channels import Fate
from shared import audit
from shared.db import Tx, affected
from shared.errors import Refused

# Old letters go in small bites, so that no long transaction keeps the tables from being cleaned.
FORGOTTEN_AT_ONCE = 1_000
STATE_AFTER = {Fate.SENT: "sent", Fate.REFUSED: "failed"}  # any other fate: it is tried again


class LinkGone(Refused):
    """This letter held a link for its recipient only, which is not kept. A new one can be asked for
    on the page where the link was asked for."""


class LetterNotKept(Refused):
    """What this letter said is not kept any more, so it cannot be sent again."""


class LetterUnderWay(Refused):
    """This letter is still being sent, so it is not sent again."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A letter somebody is owed. The same cause, recipient and template are the same letter."""

    cause: str
    template: str
    recipient: str
    person: str
    language: str
    context: Mapping[str, Any]
    useless_after: datetime | None = None
    turn: rules.Turn = rules.Turn.NEWS
    mailing: str | None = None  # what many letters go out together for


async def queue(tx: Tx, *, owed: Sequence[Owed]) -> None:
    """Write letters down; one that was written before is not written again."""
    await tx.execute(
        """
        INSERT INTO letters (cause, template, recipient, recipient_key, person, language, context,
                             useless_after, turn, mailing, give_up_by)
        SELECT cause, template, recipient, recipient_key, person, language, context::jsonb,
               useless_after, turn, mailing, LEAST(now() + $11, useless_after)
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::text[], $8::timestamptz[], $9::smallint[], $10::text[])
               AS owed (cause, template, recipient, recipient_key, person, language, context,
                        useless_after, turn, mailing)
        ON CONFLICT (cause, recipient, template) DO NOTHING
        """,
        [letter.cause for letter in owed],
        [letter.template for letter in owed],
        [letter.recipient.strip() for letter in owed],
        [rules.key_of(letter.recipient) for letter in owed],
        [letter.person for letter in owed],
        [letter.language for letter in owed],
        [to_json(dict(letter.context)).decode() for letter in owed],
        [letter.useless_after for letter in owed],
        [letter.turn for letter in owed],
        [letter.mailing for letter in owed],
        rules.TRIED_FOR,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """A letter that is one sender's for as long as its lease lasts."""

    id: UUID
    claim: int
    round: int
    attempts: int
    template: str
    recipient: str
    recipient_key: str
    person: str
    language: str
    context: Mapping[str, Any]
    claimed_at: datetime


async def claim(tx: Tx, *, limit: int, lease: timedelta) -> list[Claim]:
    """Take letters that are due and nobody else's, also those whose sender was never heard of."""
    rows = await tx.fetch(
        """
        WITH due AS (
            -- Turn by turn, so that each reads no more of the index than it takes.
            SELECT next.* FROM unnest($3::smallint[]) AS turns (turn), LATERAL (
                SELECT id, claim, round, state FROM letters
                 WHERE letters.turn = turns.turn AND state IN ('queued', 'sending', 'retrying')
                   AND due_at <= now() AND give_up_by > now() AND context IS NOT NULL
                 ORDER BY due_at
                 LIMIT $1
                   FOR UPDATE SKIP LOCKED) AS next
             LIMIT $1
        ), interrupted AS (
            INSERT INTO letter_attempts (letter_id, claim, round, fate, reply)
            SELECT id, claim, round, 'interrupted', 'its sender ended' FROM due
             WHERE state = 'sending'
        )
        UPDATE letters
           SET state = 'sending', claim = letters.claim + 1, due_at = now() + $2,
               attempts = attempts + (due.state = 'sending')::int
          FROM due
         WHERE letters.id = due.id
        RETURNING letters.id, letters.claim, letters.round, attempts, template, recipient,
                  recipient_key, person, language, context, now() AS claimed_at
        """,
        limit,
        lease,
        list(rules.Turn),
    )
    return [Claim(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed letter."""

    letter_id: UUID
    claim: int
    round: int
    fate: Fate
    reply: str
    retry_after: timedelta


async def settle(tx: Tx, *, settled: Sequence[Settlement]) -> None:
    """Record outcomes. A claim that has passed to another sender meanwhile has no say any more,
    except that a letter which has arrived has arrived."""
    await tx.execute(
        """
        WITH outcome AS (
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[],
                                 $6::text[], $7::interval[])
                   AS outcome (letter_id, claim, round, fate, reply, state, retry_after)
        ), settled AS (
            UPDATE letters
               SET state = outcome.state, attempts = attempts + 1, last_reply = outcome.reply,
                   due_at = LEAST(now() + outcome.retry_after, give_up_by),
                   settled_at = CASE WHEN outcome.state <> 'retrying' THEN now() END,
                   context = CASE WHEN outcome.state <> 'retrying' AND context ? 'link'
                                  THEN context || '{"link": null}' ELSE context END
              FROM outcome
             WHERE letters.id = outcome.letter_id AND letters.round = outcome.round
               AND (letters.state = 'sending' AND letters.claim = outcome.claim
                    OR outcome.state = 'sent' AND letters.state IN ('sending', 'retrying'))
            RETURNING letters.id
        )
        INSERT INTO letter_attempts (letter_id, claim, round, fate, reply)
        SELECT letter_id, claim, round, fate, reply
          FROM outcome JOIN settled ON settled.id = outcome.letter_id
        ON CONFLICT (letter_id, claim) DO UPDATE SET fate = EXCLUDED.fate, reply = EXCLUDED.reply
        """,
        *_columns(settled),
        [STATE_AFTER.get(settlement.fate, "retrying") for settlement in settled],
        [settlement.retry_after for settlement in settled],
    )


async def put_back(tx: Tx, *, settled: Sequence[Settlement]) -> None:
    """Give letters back that were not tried: others may take them at once."""
    await tx.execute(
        """
        UPDATE letters
           SET state = CASE attempts WHEN 0 THEN 'queued' ELSE 'retrying' END, due_at = now(),
               last_reply = COALESCE(NULLIF(back.reply, ''), last_reply)
          FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[])
               AS back (letter_id, claim, round, fate, reply)
         WHERE id = back.letter_id AND letters.claim = back.claim AND state = 'sending'
        """,
        *_columns(settled),
    )


def _columns(settled: Sequence[Settlement]) -> list[list[Any]]:
    return [
        [settlement.letter_id for settlement in settled],
        [settlement.claim for settlement in settled],
        [settlement.round for settlement in settled],
        [str(settlement.fate) for settlement in settled],
        [settlement.reply for settlement in settled],
    ]


async def give_up(tx: Tx) -> int:
    """Stop trying what was tried for long enough, or would tell of a link that has run out."""
    given_up: str = await tx.execute(
        """
        UPDATE letters
           SET state = 'given_up', settled_at = now(),
               context = CASE WHEN context ? 'link' THEN context || '{"link": null}'
                              ELSE context END
         WHERE id IN (SELECT id FROM letters
                       WHERE state IN ('queued', 'sending', 'retrying')
                         AND due_at <= now() AND give_up_by <= now()
                       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        """,
        FORGOTTEN_AT_ONCE,
    )
    return affected(given_up)


async def note_bounces(tx: Tx, *, bounced: Sequence[tuple[UUID, int]], reply: str) -> None:
    """A letter that was taken and came back has failed, unless it was sent again since."""
    await tx.execute(
        """
        UPDATE letters SET state = 'failed', last_reply = $3
          FROM unnest($1::uuid[], $2::int[]) AS bounced (letter_id, round)
         WHERE id = bounced.letter_id AND letters.round = bounced.round AND state = 'sent'
        """,
        [letter_id for letter_id, _ in bounced],
        [round_ for _, round_ in bounced],
        reply,
    )


async def send_again(tx: Tx, *, letter_id: UUID, round_: int, actor: str) -> None:
    """Begin another round for a letter. Asked twice of the same round, it is begun once."""
    row = await tx.fetchrow(
        "SELECT state, round, context FROM letters WHERE id = $1 FOR UPDATE", letter_id
    )
    if row is None:
        raise LetterNotKept
    if row["round"] != round_:
        return  # somebody was quicker, perhaps the same person's first click
    if row["state"] not in {"sent", "failed", "given_up"}:
        raise LetterUnderWay
    if row["context"] is None:
        raise LetterNotKept
    if "link" in row["context"]:
        raise LinkGone
    await tx.execute(
        """
        UPDATE letters
           SET state = 'queued', round = round + 1, attempts = 0, due_at = now(),
               give_up_by = now() + $2, settled_at = NULL, last_reply = NULL
         WHERE id = $1
        """,
        letter_id,
        rules.TRIED_FOR,
    )
    line = audit.Line(actor, "letter_sent_again", f"letter {letter_id}", {"round": round_ + 1})
    await audit.record(tx, [line])


async def forget_old(tx: Tx, *, now: datetime, words_after: timedelta, all_after: timedelta) -> int:
    """Forget what settled letters said, and later that they were; return how many."""
    emptied: str = await tx.execute(
        """
        UPDATE letters SET context = NULL
         WHERE id IN (SELECT id FROM letters
                       WHERE context IS NOT NULL AND settled_at < $1 LIMIT $2)
        """,
        now - words_after,
        FORGOTTEN_AT_ONCE,
    )
    deleted: int = await tx.fetchval(
        """
        WITH old AS (
            DELETE FROM letters
             WHERE id IN (SELECT id FROM letters WHERE settled_at < $1 LIMIT $2)
            RETURNING id
        ), attempts AS (
            DELETE FROM letter_attempts USING old WHERE letter_id = old.id
        )
        SELECT count(*) FROM old
        """,
        now - all_after,
        FORGOTTEN_AT_ONCE,
    )
    return affected(emptied) + deleted
