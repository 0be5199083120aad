#!/bin/sh
# Writes the ACL file from the passwords in /run/secrets, as hashes, and becomes the server.
# No password is ever an argument or a variable of the environment, which others could see.
set -eu
secrets=${SECRETS:-/run/secrets}
users=${USERS_ACL:-/run/valkey/users.acl}

hash_of() {
    if ! [ -s "$secrets/$1" ]; then
        echo "the password file $1 is missing or empty" >&2
        exit 1
    fi
    tr -d '\r\n' <"$secrets/$1" | sha256sum | cut -c 1-64
}

evaluator=$(hash_of store_password)
operator=$(hash_of store_operator_password)
umask 077
cat >"$users" <<ACL
user default on nopass resetkeys resetchannels -@all +ping
user evaluator on #$evaluator resetkeys resetchannels -@all ~eligibility:* &eligibility:changes +@read +@write +@scripting +@connection +publish +subscribe +unsubscribe +cluster -@dangerous
user operator on #$operator resetkeys resetchannels -@all +ping +info +bgsave +lastsave +bgrewriteaof +acl|whoami
ACL
unset evaluator operator
exec valkey-server "$@"
