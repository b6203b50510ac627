#!/bin/sh
# Runs the server as the user redis, in /data, reachable from outside the container.
#   docker run IMAGE --appendonly yes          options alone mean redis-server
#   docker run IMAGE /etc/redis.conf           so does a configuration file
#   docker run IMAGE sh                        anything else runs as it is
set -eu

case "${1-}" in
    "" | -* | *.conf) set -- redis-server "$@" ;;
esac

case "${1-}" in
    redis-server | pyredis-server) ;;
    *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis:redis '{}' +
    exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi

# Files that hold data are nobody else's business, unless the container was given another umask.
if [ "$(umask)" = 0022 ]; then
    umask 0077
fi

# Published ports make every client a remote one, so protected mode is off unless the configuration
# file or an option says otherwise.
program=$1
shift
for word in "$@"; do
    case "$word" in
        -v | --version | -h | --help | --protected-mode | --protected-mode\ *) exec "$program" "$@" ;;
    esac
done
case "${1-}" in
    "" | -?*)
        exec "$program" --protected-mode no "$@"
        ;;
    *)
        if [ -f "$1" ] && grep -qi '^[[:space:]]*protected-mode[[:space:]]' "$1"; then
            exec "$program" "$@"
        fi
        file=$1
        shift
        exec "$program" "$file" --protected-mode no "$@"
        ;;
esac
