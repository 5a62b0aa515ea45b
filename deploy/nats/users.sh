#!/bin/sh
# Prints users.conf for the homes on standard input, an id on each line.
set -eu
cd "$(dirname "$0")"
echo 'users: ['
cat parties.conf
while read -r home; do
  case $home in '' | *[!a-z0-9-]*) echo "no id of a home: $home" >&2; exit 1 ;; esac
  sed "s/HOME/$home/g" home.conf
done
echo ']'
