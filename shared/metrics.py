"""Every figure the house reports, in one list. Names end in their unit."""

from prometheus_client import Counter, Gauge, Histogram

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

REQUESTS = Histogram(
    "examhall_request_seconds",
    "Time to answer a request",
    ["service", "route", "method", "status"],
    buckets=FAST,
)
POOL_WAITS = Histogram(
    "examhall_pool_wait_seconds", "Time spent waiting for a database connection", buckets=FAST
)

GROUP_COMMIT_SIZES = Histogram(
    "examhall_group_commit_batch_size",
    "Requests settled by one transaction",
    ["name"],
    buckets=SIZES,
)
GROUP_COMMIT_WAITS = Histogram(
    "examhall_group_commit_wait_seconds",
    "Time from joining the queue to being settled",
    ["name"],
    buckets=FAST,
)
GROUP_COMMIT_BUSY = Counter(
    "examhall_group_commit_busy_total", "Requests refused because the queue was full", ["name"]
)

OUTBOX_PENDING = Gauge("examhall_outbox_pending_rows", "Rows waiting for the broker", ["service"])
OUTBOX_OLDEST = Gauge(
    "examhall_outbox_oldest_seconds", "Age of the oldest row waiting for the broker", ["service"]
)
RELAYED = Counter(
    "examhall_relayed_messages_total", "Messages confirmed by the broker", ["service"]
)
RELAY_FAILURES = Counter(
    "examhall_relay_failures_total", "Messages the broker returned or refused", ["service"]
)
RELAY_CONNECTED = Gauge(
    "examhall_relay_connected", "1 while the relay has a broker connection", ["service"]
)
CONSUMED = Counter(
    "examhall_consumed_messages_total", "Messages settled", ["service", "name", "outcome"]
)
CONSUMED_EVENTS = Counter("examhall_consumed_events_total", "Events handled", ["service", "name"])
DEAD_LETTERS = Gauge("examhall_dead_letters", "Messages in the dead-letter queue", ["service"])
OLDEST_TRANSACTION = Gauge(
    "examhall_oldest_transaction_seconds",
    "Age of the oldest transaction in the database: what keeps old rows from being cleaned up",
    ["service"],
)

JOB_RUNS = Counter("examhall_job_runs_total", "Job runs", ["service", "job", "outcome"])
JOB_SECONDS = Histogram("examhall_job_seconds", "Time a job took", ["service", "job"], buckets=FAST)

LETTERS_WAITING = Gauge("examhall_letters_waiting", "Letters owed that have not arrived")
LETTERS_OLDEST = Gauge(
    "examhall_letters_oldest_seconds", "Age of the oldest letter owed that has not arrived"
)
LETTERS_TRIED = Counter("examhall_letters_tried_total", "Tries to send a letter", ["outcome"])
MAIL_SERVER_REACHED = Gauge(
    "examhall_mail_server_reached", "1 while the mail server takes letters from this worker"
)

MONEY_COUNTED = Counter(
    "examhall_money_counted_twd_total", "NT$ that providers took for us, by what it was", ["kind"]
)
NOTICES = Counter(
    "examhall_notices_total",
    "Notices of payment providers; a forged one is somebody's attempt to pay with words",
    ["provider", "reading"],
)
PROVIDER_ANSWERS = Counter(
    "examhall_provider_answers_total",
    "What payment providers said when asked",
    ["provider", "answer"],
)
