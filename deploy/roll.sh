#!/bin/sh
# Replace the API without a failed request: begin a new process, wait until it is ready, let the old
# one finish its answers. `make roll`, or sh deploy/roll.sh; COMPOSE names the command.
set -eu

COMPOSE=${COMPOSE:-docker compose}
service=chatbot-backend
old=$($COMPOSE ps -q $service)
count=$(echo "$old" | grep -c .) || {
    echo "error: no $service is running: make up" >&2
    exit 1
}

$COMPOSE up -d --no-deps --no-recreate --scale $service=$((count * 2)) $service
new=$($COMPOSE ps -q $service | grep -v -F "$old")
for container in $new; do
    tries=300
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do
        tries=$((tries - 1))
        if [ $tries -le 0 ]; then
            echo "error: the new API is not ready; the old one goes on. See: docker logs $container" >&2
            docker rm -f $new >/dev/null
            exit 1
        fi
        sleep 1
    done
done
for container in $old; do
    docker stop --time 120 "$container" >/dev/null
    docker rm "$container" >/dev/null
done
echo "Rolled: $count of $count processes are new."
