#!/bin/sh
# Write Nginx's configuration from the environment, and become Nginx.
#
#   API_HOST, API_PROCESS_PORT         where the API is (chatbot-backend, 8000)
#   ENABLE_HTTPS                       true: TLS with SSL_CERT_PATH and SSL_KEY_PATH
#   PUBLIC_URL                         where plain HTTP is sent to (the same host by default)
#   RESOLVER                           DNS server (that of /etc/resolv.conf)
#   OUTER_PROXIES                      networks of proxies in front, separated by commas
#   MAX_BODY_BYTES, MAX_IMPORT_BYTES   as for the API
set -eu

here=$(dirname "$0")
RUN=${RUN:-/tmp/page}
PAGE=${PAGE:-/usr/share/tiza/page}
MIME_TYPES=${MIME_TYPES:-/etc/nginx/mime.types}
API_HOST=${API_HOST:-chatbot-backend}
API_PROCESS_PORT=${API_PROCESS_PORT:-8000}
PAGE_PORT=${PAGE_PORT:-8080}
TLS_PORT=${TLS_PORT:-8443}
API_PORT=${API_PORT:-8000}
MAX_BODY_BYTES=${MAX_BODY_BYTES:-262144}
MAX_IMPORT_BYTES=${MAX_IMPORT_BYTES:-4194304}
SERVERS=http
SSL_CERT_PATH=${SSL_CERT_PATH:-}
SSL_KEY_PATH=${SSL_KEY_PATH:-}
HTTPS_URL='https://$host'

refuse() {
    echo "error: $1" >&2
    exit 1
}

case "${ENABLE_HTTPS:-false}" in
[Tt]rue | 1)
    SERVERS=https
    for file in "$SSL_CERT_PATH" "$SSL_KEY_PATH"; do
        [ -f "$file" ] && [ -r "$file" ] || refuse "ENABLE_HTTPS is true, but '$file' \
(SSL_CERT_PATH, SSL_KEY_PATH) is no file that user $(id -u) may read."
    done
    ;;
false | False | 0 | '') ;;
*) refuse "ENABLE_HTTPS must be true or false." ;;
esac
case "${PUBLIC_URL:-}" in
https://*) HTTPS_URL=${PUBLIC_URL%/} ;;
esac

RESOLVER=${RESOLVER:-$(
    awk '$1 == "nameserver" { print ($2 ~ /:/) ? "[" $2 "]" : $2; exit }' /etc/resolv.conf
)}
RESOLVER=${RESOLVER:-127.0.0.1}
CONTENT_SECURITY_POLICY=$(cat "$here/content-security-policy")

mkdir -p "$RUN/conf"
{
    echo "real_ip_header X-Forwarded-For;"
    echo "real_ip_recursive on;"
    echo "geo \$realip_remote_addr \$outer { default 0;"
    echo "${OUTER_PROXIES:-}" | tr ',' '\n' | sed -n 's/[[:space:]]//g; s/..*/& 1;/p'
    echo "}"
    echo "${OUTER_PROXIES:-}" | tr ',' '\n' | sed -n 's/[[:space:]]//g; s/..*/set_real_ip_from &;/p'
} >"$RUN/conf/outer.list"

values=
for name in RUN PAGE MIME_TYPES API_HOST API_PROCESS_PORT PAGE_PORT TLS_PORT API_PORT \
    MAX_BODY_BYTES MAX_IMPORT_BYTES SERVERS SSL_CERT_PATH SSL_KEY_PATH HTTPS_URL RESOLVER \
    CONTENT_SECURITY_POLICY; do
    eval "value=\$$name"
    value=$(printf '%s' "$value" | sed 's/[\\&|]/\\&/g')
    values="$values;s|@$name@|$value|g"
done
for file in "$here"/nginx/*.conf; do
    sed "${values#;}" "$file" >"$RUN/conf/${file##*/}"
done

exec nginx -e stderr -c "$RUN/conf/nginx.conf" "$@"
