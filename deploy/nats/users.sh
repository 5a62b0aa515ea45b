#!/bin/sh
# Prints users.conf for the homes on standard input: an id on each line, and OU of its certificate if that has one.
set -eu
cd "$(dirname "$0")"
echo 'users: ['
cat parties.conf
while read -r home unit; do
  case $home in '' | *[!a-z0-9-]*) echo "no id of a home: $home" >&2; exit 1 ;; esac
  case $unit in *[!0-9]*) echo "$home: no number: $unit" >&2; exit 1 ;; esac
  sed "s/CN=HOME/CN=$home${unit:+,OU=$unit}/; s/HOME/$home/g" home.conf
done
echo ']'
