# Words the runbooks use. In the folder of docker-compose.yml, type: . docs/runbooks/words.sh

SERVICES="identity enrollment payments scoring notify"

# figures PROCESS BEGINNING: what a process reports of itself, e.g. figures identity-worker outbox
figures() {
    docker compose exec -T "$1" python -c \
        "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/metrics').read().decode())" |
        grep "^examhall_$2"
}

# sql SERVICE: reads statements from standard input and runs them in the service's database
sql() {
    docker compose exec -T postgres sh -c "psql -v ON_ERROR_STOP=1 \"\$(cat /run/secrets/$1_database_url)\""
}

# letters SERVICE list|show|replay …: what the service could not handle
letters() {
    service=$1
    shift
    docker compose exec -T "$service-worker" python -m "services.$service.app" dead-letters "$@"
}

# is_ready PROCESS: says so, or nothing
is_ready() {
    docker compose exec -T "$1" deploy/image/probe 8080 /readyz && echo "$1 is ready"
}
