"""What a container may do, and what it may reach."""

import pytest

from tests.containers.stack import OURS, ROLES, SERVICES, Stack, docker

pytestmark = pytest.mark.containers


def name_of(container: dict[str, dict[str, dict[str, str]]]) -> str:
    return container["Config"]["Labels"]["com.docker.compose.service"]


def test_only_the_gateway_is_published_and_only_on_loopback(stack: Stack) -> None:
    published = {
        name_of(container): bindings
        for container in stack.containers()
        if (bindings := container["HostConfig"]["PortBindings"])
    }
    assert set(published) == {"gateway"}
    [site], [sandbox] = published["gateway"]["80/tcp"], published["gateway"]["8090/tcp"]
    assert site == {"HostIp": "127.0.0.1", "HostPort": stack.url.rpartition(":")[2]}
    assert sandbox == {"HostIp": "127.0.0.1", "HostPort": stack.sandbox_url.rpartition(":")[2]}
    assert len(published["gateway"]) == 2


def test_every_container_is_confined(stack: Stack) -> None:
    containers = stack.containers()
    assert {name_of(container) for container in containers} >= {*OURS, "gateway", "migrate"}
    for container in containers:
        host, name = container["HostConfig"], name_of(container)
        assert container["Config"]["User"] not in {"", "0", "root"}, name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["NanoCpus"] > 0, name
        assert host["LogConfig"]["Config"]["max-size"], name
        expected = "no" if name == "migrate" else "unless-stopped"
        assert host["RestartPolicy"]["Name"] == expected, name


@pytest.mark.parametrize("service", [*OURS, "gateway", "postgres", "rabbitmq"])
def test_nobody_inside_is_root_or_can_write(stack: Stack, service: str) -> None:
    assert stack.execute(service, "id", "-u").stdout.strip() != "0"
    for place in ("/", "/usr/bin", "/etc"):
        assert stack.execute(service, "touch", f"{place}/x").returncode != 0, place


def test_every_container_but_the_migration_has_a_health_check(stack: Stack) -> None:
    unhealthy = {
        name_of(container): container["State"].get("Health", {}).get("Status")
        for container in stack.containers()
        if name_of(container) != "migrate"
    }
    assert set(unhealthy.values()) == {"healthy"}, unhealthy


def test_servers_and_services_have_no_way_out(stack: Stack) -> None:
    for network in ("front", "back"):
        told = docker("network", "inspect", "-f", "{{.Internal}}", f"{stack.project}_{network}")
        assert told.stdout.strip() == "true"
    for container in stack.containers():
        ways = {
            name.removeprefix(f"{stack.project}_")
            for name in container["NetworkSettings"]["Networks"]
        }
        assert ("edge" in ways) == (name_of(container) == "gateway")
        assert not {"edge", "back"} <= ways


def test_a_service_is_given_its_own_secrets_only(stack: Stack) -> None:
    for role in ROLES:
        service = role.partition("-")[0]
        expected = {f"{service}_database_url", "examhall_amqp_url"}
        if service != "notify":  # the others keep sealed words, or check what is sealed
            expected.add("examhall_secret_key")
        found = stack.execute(role, "ls", "/run/secrets").stdout.split()
        assert set(found) == expected, role


def test_no_secret_stands_in_an_environment_or_on_a_command_line(stack: Stack) -> None:
    secrets = stack.execute("postgres", "sh", "-c", "cat /run/secrets/*").stdout.split()
    for container in stack.containers():
        told = str([container["Config"]["Env"], container["Config"]["Cmd"], container["Args"]])
        assert "password" not in told.lower().replace("postgres_password_file", "").replace(
            "/run/secrets/postgres_password", ""
        )
        assert not [secret for secret in secrets if secret in told]


def test_a_role_opens_its_own_database_only(stack: Stack) -> None:
    script = """
        for role in "$@"; do for database in "$@" postgres template1; do
          address=$(sed "s,/[a-z]*$,/$database," "/run/secrets/${role}_database_url")
          if told=$(psql "$address" -Atc 'SELECT 1' 2>&1); then echo "$role $database"
          else case $told in *"permission denied for database"*) ;; *) echo "$told" ;; esac; fi
        done; done
    """
    told = stack.execute("postgres", "bash", "-c", script, "-", *SERVICES)
    assert told.stdout.splitlines() == [f"{service} {service}" for service in SERVICES]


def test_no_role_has_more_rights_than_its_database_needs(stack: Stack) -> None:
    query = """
        SELECT rolname FROM pg_roles
         WHERE rolcanlogin AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)
    """
    connect = 'PGPASSWORD=$(cat /run/secrets/postgres_password) psql -U postgres -Atc "$1"'
    told = stack.execute("postgres", "bash", "-c", connect, "-", query)
    assert told.stdout.split() == ["postgres"]


def test_what_was_confirmed_survives_a_power_cut(stack: Stack) -> None:
    connect = 'PGPASSWORD=$(cat /run/secrets/postgres_password) psql -U postgres -Atc "SHOW $1"'
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert stack.execute("postgres", "bash", "-c", connect, "-", setting).stdout == "on\n"


def test_the_brokers_only_user_is_ours(stack: Stack) -> None:
    users = stack.execute("rabbitmq", "rabbitmqctl", "-q", "list_users", "--no-table-headers")
    assert [line.split()[0] for line in users.stdout.splitlines()] == ["examhall"], users.stderr
